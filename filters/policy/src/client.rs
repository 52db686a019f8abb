//! Who the client is: the address that is connected, or what trusted proxies wrote into `x-forwarded-for`.

use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::{Decode, Invalid, Property, Request, SingleHeader};

/// An address to compare. IPv4 within IPv6 (`::ffff:10.0.0.1`) is IPv4; no other address is in both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    v6: bool,
    bits: u128,
}

/// Whoever sends a request. `None` where nobody who is trusted says it: callers must then do what is safe.
///
/// Without trusted hops it is [`Property::SourceAddress`]. With some, each of them has written an entry at the end of
/// `x-forwarded-for`, and the first of these is the client. An entry that is missing or no address is not made up for with
/// another one: that one would be the client's own word, or a proxy.
pub(crate) fn address(request: &mut dyn Request, trusted_hops: u32) -> Option<Address> {
    let Some(before) = trusted_hops.checked_sub(1) else {
        return Address::with_port(&request.property(Property::SourceAddress)?);
    };
    let written = request.single(SingleHeader::ForwardedFor)?;
    let entry = written.rsplit(|byte| *byte == b',').nth(usize::try_from(before).ok()?)?;
    Address::with_port(entry.trim_ascii())
}

impl Address {
    /// An address alone.
    pub fn parse(text: &[u8]) -> Option<Address> {
        let address: IpAddr = core::str::from_utf8(text).ok()?.parse().ok()?;
        Some(Address::of(address))
    }

    /// The network of an IPv6 address that one customer has at least (RFC 6177); an IPv4 address itself.
    pub fn customer(self) -> Address {
        let bits = if self.v6 { self.bits >> 64 << 64 } else { self.bits };
        Address { bits, ..self }
    }

    /// For digests: equal addresses alone have equal bytes.
    pub fn bytes(self) -> [u8; 17] {
        let mut bytes = [u8::from(self.v6); 17];
        if let Some(address) = bytes.first_chunk_mut::<16>() {
            *address = self.bits.to_be_bytes();
        }
        bytes
    }

    /// An address, with or without a port: `10.0.0.1:80`, `[::1]:80`, `[::1]`, `::1`. What stands behind a `%` is the
    /// interface of a link-local address and part of none.
    fn with_port(text: &[u8]) -> Option<Address> {
        let address = if let Some(rest) = text.strip_prefix(b"[") {
            let (address, port) = split(rest, b']')?;
            if !port.is_empty() {
                port.strip_prefix(b":").filter(|port| is_port(port))?;
            }
            address
        } else {
            match split(text, b':') {
                // Another colon: an IPv6 address without a port.
                Some((address, port)) if !port.contains(&b':') => {
                    is_port(port).then_some(())?;
                    // Without brackets only IPv4 has a port.
                    let address = Address::parse(address)?;
                    return (!address.v6).then_some(address);
                }
                _ => text,
            }
        };
        let address = split(address, b'%').map_or(address, |(address, _)| address);
        Address::parse(address)
    }

    fn of(address: IpAddr) -> Address {
        match address.to_canonical() {
            IpAddr::V4(v4) => Address { v6: false, bits: u128::from(v4.to_bits()) },
            IpAddr::V6(v6) => Address { v6: true, bits: v6.to_bits() },
        }
    }
}

fn is_port(text: &[u8]) -> bool {
    (1..=5).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..place)?, text.get(place.checked_add(1)?..)?))
}

/// A network in a configuration: `10.0.0.0/8`, `fd00::/8`, or an address alone. Bits behind the prefix do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// A prefix longer than the address is the whole address. IPv4 within IPv6 is IPv4.
    pub fn new(address: IpAddr, prefix: u8) -> Network {
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(v4)) if prefix >= 96 => {
                Network { address: v4.into(), prefix: prefix.saturating_sub(96).min(32) }
            }
            (IpAddr::V4(_), _) => Network { address, prefix: prefix.min(32) },
            (IpAddr::V6(_), _) => Network { address, prefix: prefix.min(128) },
        }
    }

    /// Reads one.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let digits = |prefix: &str| prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match prefix {
            None => whole,
            Some(prefix) if digits(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= whole)?,
            Some(_) => return None,
        };
        Some(Network::new(address, prefix))
    }

    fn bounds(self) -> (Address, Address) {
        let (v6, bits, width) = match self.address {
            IpAddr::V4(v4) => (false, u128::from(v4.to_bits()), 32_u32),
            IpAddr::V6(v6) => (true, v6.to_bits(), 128),
        };
        // Shifts of the whole width leave nothing.
        let whole = u128::MAX.checked_shr(128_u32.saturating_sub(width)).unwrap_or_default();
        let behind = whole.checked_shr(u32::from(self.prefix)).unwrap_or_default();
        (Address { v6, bits: bits & !behind }, Address { v6, bits: bits | behind })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Decode for Network {
    fn blank() -> Network {
        Network { address: IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED), prefix: 32 }
    }

    fn decode(value: &crate::Value) -> Result<Network, Invalid> {
        let text = String::decode(value)?;
        Network::parse(&text).ok_or_else(|| Invalid::new("a network such as `10.0.0.0/8` is expected"))
    }
}

/// Networks to look addresses up in: finding one takes as many steps as their number has binary digits.
#[derive(Clone, Debug, Default)]
pub struct Networks(Vec<(Address, Address)>);

impl Networks {
    /// Networks in any order, overlapping or not.
    pub fn new(networks: &[Network]) -> Networks {
        // A heap's sort is a tenth of the code of a slice's.
        let bounds: BinaryHeap<_> = networks.iter().map(|network| network.bounds()).collect();
        let mut bounds = bounds.into_sorted_vec();
        bounds.dedup_by(|next, kept| {
            let within = next.0 <= kept.1;
            if within {
                kept.1 = kept.1.max(next.1);
            }
            within
        });
        Networks(bounds)
    }

    /// Whether one of them has the address.
    pub fn contain(&self, address: Address) -> bool {
        let behind = self.0.partition_point(|(first, _)| *first <= address);
        let last = behind.checked_sub(1).and_then(|place| self.0.get(place));
        last.is_some_and(|(_, end)| address <= *end)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;
    use std::vec::Vec;

    use super::{Address, Network, Networks, address};
    use crate::{HeaderList, Property};

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let expected = expected.map(|text| Address::parse(text.as_bytes()).expect("an address"));
        assert_eq!(Address::with_port(text.as_bytes()), expected, "{text}");
    }

    #[test]
    fn ports_brackets_and_interfaces_are_no_part_of_an_address() {
        check("10.0.0.1", Some("10.0.0.1"));
        check("10.0.0.1:0", Some("10.0.0.1"));
        check("10.0.0.1:65535", Some("10.0.0.1"));
        check("[2001:db8::1]:443", Some("2001:db8::1"));
        check("[2001:db8::1]", Some("2001:db8::1"));
        check("2001:DB8:0::1", Some("2001:db8::1"));
        check("[fe80::1%eth0]:1", Some("fe80::1"));
        check("::ffff:10.0.0.1", Some("10.0.0.1"));
        check("[::ffff:a00:1]:80", Some("10.0.0.1"));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "-",
            "unknown",
            "10.0.0.1:",
            "10.0.0.1:x",
            "10.0.0.1:1:2",
            "010.0.0.1",
            "10.0.0",
            "0x0a000001",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[]:80",
            "/run/sock",
            "10.0.0.1/8",
            "10.0.0.1 ",
            ":80",
            "1::2::3",
            "_hidden",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn trusted_hops_count_from_the_end() {
        let client = |hops, written: &str| {
            let header = (b"x-forwarded-for".to_vec(), written.as_bytes().to_vec());
            let request = HeaderList::from_wire([header]).with_property(Property::SourceAddress, "10.9.9.9:1");
            let mut request = request;
            address(&mut request, hops)
        };
        let parsed = |text: &str| Address::parse(text.as_bytes());
        assert_eq!(client(0, "1.1.1.1"), parsed("10.9.9.9"));
        assert_eq!(client(1, "1.1.1.1, 2.2.2.2"), parsed("2.2.2.2"));
        assert_eq!(client(2, "1.1.1.1, 2.2.2.2"), parsed("1.1.1.1"));
        assert_eq!(client(2, "6.6.6.6,1.1.1.1:80\t, [2001:db8::2]:9"), parsed("1.1.1.1"));
        assert_eq!(client(3, "1.1.1.1, 2.2.2.2"), None);
        assert_eq!(client(2, "unknown, 2.2.2.2"), None);
        assert_eq!(client(2, "1.1.1.1,,"), None);
        assert_eq!(client(u32::MAX, "1.1.1.1"), None);
    }

    #[test]
    fn networks_have_what_their_prefixes_say() {
        let networks: Vec<_> =
            ["10.0.0.0/8", "10.1.0.0/16", "192.168.1.7/24", "2001:db8::/32", "::ffff:172.16.0.0/108"]
                .iter()
                .map(|text| Network::parse(text).expect("a network"))
                .collect();
        let networks = Networks::new(&networks);
        let contain = |text: &str| networks.contain(Address::parse(text.as_bytes()).expect("an address"));
        for inside in
            ["10.0.0.0", "10.255.255.255", "10.1.2.3", "10.2.0.1", "192.168.1.255", "2001:db8:ffff::1", "172.31.9.9"]
        {
            assert!(contain(inside), "{inside}");
        }
        for outside in ["9.255.255.255", "11.0.0.0", "192.168.2.0", "2001:db9::", "::a00:1", "172.32.0.0"] {
            assert!(!contain(outside), "{outside}");
        }
    }

    #[test]
    fn a_network_has_what_others_have_of_it_and_more() {
        for order in [["10.0.0.0/16", "10.0.0.0/8"], ["10.0.0.0/8", "10.0.0.0/16"]] {
            let networks = Networks::new(&order.map(|text| Network::parse(text).expect("a network")));
            assert!(networks.contain(Address::parse(b"10.200.0.1").expect("an address")));
        }
    }

    #[test]
    fn everything_is_each_family_s_own() {
        let every = |text| Networks::new(&[Network::parse(text).expect("a network")]);
        let v4 = Address::parse(b"10.0.0.1").expect("an address");
        let v6 = Address::parse(b"::1").expect("an address");
        assert!(every("0.0.0.0/0").contain(v4) && !every("0.0.0.0/0").contain(v6));
        assert!(every("::/0").contain(v6) && !every("::/0").contain(v4));
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in ["", "/", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/8/8", "10/8", "a/8"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        assert_eq!(Network::parse("::ffff:10.0.0.0/104").map(|it| it.to_string()).as_deref(), Some("10.0.0.0/8"));
    }
}
