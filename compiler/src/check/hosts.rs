//! Hosts that nothing in a mesh may lead to, in whatever spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What stands behind a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Instance metadata and the credentials of tasks.
    Metadata,
    /// The machine, or the task, of whoever dials.
    Loopback,
    /// Link-local IPv6.
    LinkLocal,
    /// Unspecified, multicast, broadcast.
    Nowhere,
    Ordinary,
}

/// AWS keeps the addresses of its own services here: metadata, DNS, time, the credentials of pods.
const AWS_V6: [u16; 2] = [0xfd00, 0x0ec2];
/// NAT64 (RFC 6052): the last 32 bits are an IPv4 address.
const NAT64: [u16; 6] = [0x0064, 0xff9b, 0, 0, 0, 0];
const METADATA_NAMES: &[&str] = &["metadata.google.internal", "instance-data", "instance-data.ec2.internal"];

pub(super) fn kind(host: &str) -> Kind {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let address = bare.parse().ok().or_else(|| loose_v4(bare).map(IpAddr::V4));
    match address {
        Some(address) => of_address(address),
        None if METADATA_NAMES.contains(&bare) => Kind::Metadata,
        None if bare == "localhost" || bare.ends_with(".localhost") => Kind::Loopback,
        None => Kind::Ordinary,
    }
}

pub(crate) fn of_address(address: IpAddr) -> Kind {
    match canonical(address) {
        IpAddr::V4(host) if host.is_link_local() => Kind::Metadata,
        IpAddr::V6(host) if host.segments().starts_with(&AWS_V6) => Kind::Metadata,
        IpAddr::V6(host) if host.is_unicast_link_local() => Kind::LinkLocal,
        // All of 0.0.0.0/8 is "this host" (RFC 1122, 3.2.1.3).
        IpAddr::V4(host) if host.octets().first() == Some(&0) || host.is_broadcast() => Kind::Nowhere,
        host if host.is_unspecified() || host.is_multicast() => Kind::Nowhere,
        host if host.is_loopback() => Kind::Loopback,
        _ => Kind::Ordinary,
    }
}

/// IPv4 that is wrapped in IPv6 is what it is.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else { return address.to_canonical() };
    let segments = v6.segments();
    let wrapped = segments.starts_with(&NAT64) || (segments.starts_with(&[0; 6]) && u128::from(v6) > 1);
    if !wrapped {
        return IpAddr::V6(v6);
    }
    let [.., a, b, c, d] = Ipv6Addr::octets(&v6);
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// IPv4 as C's `inet_aton` reads it, and with it most resolvers: `2130706433`, `0x7f.1`, `0177.0.0.1`.
fn loose_v4(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).fold(0u32, |sum, (part, shift)| sum | (part << shift));
    let room = 32 - 8 * u32::try_from(first.len()).ok()?;
    (u64::from(*last) < 1u64 << room).then(|| Ipv4Addr::from(high | last))
}

fn number(text: &str) -> Option<u32> {
    let digits = |digits: &str, radix| {
        let plain = !digits.is_empty() && !digits.starts_with('+');
        if plain { u32::from_str_radix(digits, radix).ok() } else { None }
    };
    match text {
        "0" => Some(0),
        text if text.starts_with("0x") => digits(text.get(2..)?, 16),
        text if text.starts_with('0') => digits(text.get(1..)?, 8),
        text => digits(text, 10),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[track_caller]
    fn all(hosts: &[&str], expected: Kind) {
        for host in hosts {
            assert_eq!(kind(host), expected, "{host}");
        }
    }

    #[test]
    fn metadata_is_known_in_every_spelling() {
        all(
            &[
                "169.254.169.254",
                "169.254.170.2",
                "2852039166",
                "0xa9fea9fe",
                "0xA9.0xFE.0xA9.0xFE",
                "0251.0376.0251.0376",
                "169.254.43518",
                "169.254.169.254.",
                "::ffff:169.254.169.254",
                "::169.254.169.254",
                "64:ff9b::a9fe:a9fe",
                "fd00:ec2::254",
                "FD00:EC2::23",
                "metadata.google.internal",
                "Metadata.Google.Internal.",
                "instance-data",
            ],
            Kind::Metadata,
        );
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        let spellings = [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "2130706433",
            "017700000001",
            "::1",
            "::ffff:127.0.0.1",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
        ];
        all(&spellings, Kind::Loopback);
    }

    #[test]
    fn nothing_can_be_dialled_at_these() {
        all(&["0.0.0.0", "0", "0x0", "::", "255.255.255.255", "4294967295", "224.0.0.1", "ff02::1"], Kind::Nowhere);
    }

    #[test]
    fn other_hosts_are_left_alone() {
        let hosts = [
            "10.0.0.1",
            "1.2.3.4",
            "shop.example",
            "0x.example",
            "1.2.3.4.5",
            "4294967296",
            "09.1",
            "localhost.example",
            "fd00::1",
            "2001:db8::1",
            "",
            ".",
        ];
        all(&hosts, Kind::Ordinary);
    }
}
