//! A range of loopback addresses that one run of a mesh has to itself.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

use ipnet::Ipv4Net;

/// Where claimed ranges are taken from.
const POOL: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 0);
const POOL_RANGES: u32 = 1 << 14;
/// A claim is a socket on the range's first address, which is never given to an instance.
const GUARD_PORT: u16 = 4100;

/// A range out of `127.0.0.0/8`, from `/30` to `/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet(Ipv4Net);

/// A range that no other run on this machine claims, while this value lives.
#[derive(Debug)]
pub struct Claim {
    subnet: Subnet,
    _guard: UdpSocket,
}

#[derive(Debug, thiserror::Error)]
pub enum SubnetError {
    #[error("`{0}` is not a range of loopback addresses such as `127.77.0.0/24` (from /16 to /30)")]
    NotLoopback(String),
    #[error("no free range in 127.64.0.0/10: {0}")]
    NoneFree(io::Error),
}

impl Subnet {
    /// Reads `127.77.0.0/24`.
    pub fn fixed(text: &str) -> Result<Self, SubnetError> {
        let range: Option<Ipv4Net> = text.parse().ok();
        let range = range.filter(|range| range.network().is_loopback() && (16..=30).contains(&range.prefix_len()));
        range.map(|range| Self(range.trunc())).ok_or_else(|| SubnetError::NotLoopback(text.to_owned()))
    }

    /// The first free `/24` of `127.64.0.0/10`.
    pub fn claim() -> Result<Claim, SubnetError> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for index in 0..POOL_RANGES {
            let network = Ipv4Addr::from(u32::from(POOL) + (index << 8));
            let subnet = Self(Ipv4Net::new_assert(network, 24));
            match UdpSocket::bind(SocketAddrV4::new(subnet.address(1), GUARD_PORT)) {
                Ok(guard) => return Ok(Claim { subnet, _guard: guard }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(error) => return Err(SubnetError::NoneFree(error)),
            }
        }
        Err(SubnetError::NoneFree(last))
    }

    /// Addresses to give away: from `.2`, without the last one, in order.
    pub fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (2..self.size() - 1).map(move |offset| self.address(offset))
    }

    /// How many addresses there are to give away.
    pub fn capacity(self) -> usize {
        self.addresses().count()
    }

    fn size(self) -> u32 {
        1 << (32 - u32::from(self.0.prefix_len()))
    }

    fn address(self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.0.network()) + offset)
    }
}

impl Claim {
    pub fn subnet(&self) -> Subnet {
        self.subnet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_claims_never_share_a_range() {
        let first = Subnet::claim().expect("a range is free");
        let second = Subnet::claim().expect("another range is free");
        assert_ne!(first.subnet(), second.subnet());
    }

    #[test]
    fn addresses_begin_at_two_and_leave_out_the_last() {
        let subnet = Subnet::fixed("127.77.0.0/29").expect("a loopback range");
        let addresses: Vec<String> = subnet.addresses().map(|address| address.to_string()).collect();
        assert_eq!(addresses, ["127.77.0.2", "127.77.0.3", "127.77.0.4", "127.77.0.5", "127.77.0.6"]);
    }

    #[test]
    fn only_loopback_ranges_of_a_sensible_size_are_taken() {
        for refused in ["10.0.0.0/24", "127.0.0.0/8", "127.0.0.0/31", "127.0.0.1", "::1/128", ""] {
            assert!(Subnet::fixed(refused).is_err(), "{refused}");
        }
        assert_eq!(Subnet::fixed("127.77.0.9/24").ok(), Subnet::fixed("127.77.0.0/24").ok());
    }
}
