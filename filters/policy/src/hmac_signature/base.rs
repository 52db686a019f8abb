//! What is signed: the signature base of RFC 9421, section 2.5.

use alloc::vec::Vec;

use super::signed::Signed;
use crate::Headers;

/// The derived components that are understood, without parameters (section 2.2).
pub const COMPONENTS: [&str; 7] =
    ["@authority", "@method", "@path", "@query", "@request-target", "@scheme", "@target-uri"];

/// Whether a signature can be about it: a derived component, or the lower-case name of a header.
pub fn is_component(name: &str) -> bool {
    let of_a_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    COMPONENTS.contains(&name) || (!name.is_empty() && name.bytes().all(of_a_name))
}

/// The text that is signed. None if the request lacks a component, or has bytes in it that no signature can be about.
pub(super) fn of(signed: &Signed, headers: &Headers) -> Option<Vec<u8>> {
    let mut base = Vec::new();
    for component in &signed.components {
        base.push(b'"');
        base.extend(component.as_bytes());
        base.extend(b"\": ");
        let value = value(component, headers)?;
        // A line break would make two lines of one.
        if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
            return None;
        }
        base.extend(value);
        base.push(b'\n');
    }
    base.extend(b"\"@signature-params\": ");
    base.extend(&signed.parameters);
    Some(base)
}

/// Every value of a header as one (section 2.1).
pub(super) fn combined(headers: &Headers, name: &str) -> Option<Vec<u8>> {
    let mut values = headers.values(name.as_bytes()).map(<[u8]>::trim_ascii);
    let mut combined = values.next()?.to_vec();
    for value in values {
        combined.extend(b", ");
        combined.extend(value);
    }
    Some(combined)
}

fn value(component: &str, headers: &Headers) -> Option<Vec<u8>> {
    if !component.starts_with('@') {
        return combined(headers, component);
    }
    let only = |name: &'static str| headers.values(name.as_bytes()).next();
    let target = || only(":path").filter(|path| path.starts_with(b"/"));
    let path = |target: &[u8]| target.split(|byte| *byte == b'?').next().unwrap_or_default().to_vec();
    match component {
        "@method" => only(":method").map(<[u8]>::to_vec),
        "@authority" => authority(headers),
        "@scheme" => Some(scheme(headers)),
        "@path" => target().map(path),
        "@query" => {
            let target = target()?;
            let start = target.iter().position(|byte| *byte == b'?');
            Some(start.and_then(|start| target.get(start..)).unwrap_or(b"?").to_vec())
        }
        "@request-target" => only(":path").map(<[u8]>::to_vec),
        "@target-uri" => Some([&scheme(headers), &b"://"[..], &authority(headers)?, target()?].concat()),
        _ => None,
    }
}

/// Envoy always knows the scheme; elsewhere nothing is encrypted.
fn scheme(headers: &Headers) -> Vec<u8> {
    let scheme = headers.values(b":scheme").next().unwrap_or(b"http");
    scheme.to_ascii_lowercase()
}

/// In lower case, without the scheme's own port (section 2.2.3).
fn authority(headers: &Headers) -> Option<Vec<u8>> {
    let authority = headers.values(b":authority").next()?.to_ascii_lowercase();
    let port: &[u8] = if scheme(headers) == b"https" { b":443" } else { b":80" };
    Some(authority.strip_suffix(port).map(<[u8]>::to_vec).unwrap_or(authority))
}
