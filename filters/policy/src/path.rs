//! The path that a request asks for, in one spelling: `/admin?x`, `//admin`, `/%61dmin` and `/x/../admin` are `/admin`.

use alloc::vec::Vec;

/// The path without its query (RFC 3986, section 6.2.2, and what servers do beside it): no dot segments, no repeated
/// slashes, and each character written alike, escaped or not. Always printable ASCII.
///
/// `None` where servers do not agree which path it is, so that no rule about paths can be sure: an escaped slash,
/// backslash or NUL, a dot segment with parameters (`..;x`), or no path at all. Refuse what a rule protects.
pub fn normalised(target: &[u8]) -> Option<Vec<u8>> {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    let path = target.get(..end).unwrap_or_default();
    if path == b"*" {
        return Some(path.to_vec());
    }
    if !matches!(path, [b'/' | b'\\', ..]) {
        return None;
    }
    without_dots(&spelled(path)?)
}

/// Every character in its one spelling: as it is where a path may hold it so, else escaped with capital letters. For
/// what paths begin with, where dots are no segments yet: `/.` begins `/.git`.
pub(crate) fn spelled(path: &[u8]) -> Option<Vec<u8>> {
    let mut spelled = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let mut byte = *first;
        match (byte, after) {
            (b'%', [high, low, beyond @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    byte = (high << 4) | low;
                    rest = beyond;
                    if matches!(byte, b'/' | b'\\' | 0) {
                        return None;
                    }
                }
                // No escape: servers take it as it is, or refuse it.
                _ => {
                    spelled.push(b'%');
                    continue;
                }
            },
            (b'%', _) => {
                spelled.push(b'%');
                continue;
            }
            // As browsers and Envoy do.
            (b'\\', _) => byte = b'/',
            _ => {}
        }
        if byte == b'/' || is_plain(byte) {
            spelled.push(byte);
        } else {
            spelled.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    Some(spelled)
}

fn without_dots(path: &[u8]) -> Option<Vec<u8>> {
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut is_open = false;
    for segment in path.split(|byte| *byte == b'/') {
        is_open = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            [b'.', b';', ..] | [b'.', b'.', b';', ..] => return None,
            _ => segments.push(segment),
        }
    }
    let mut whole = Vec::with_capacity(path.len());
    for segment in &segments {
        whole.push(b'/');
        whole.extend_from_slice(segment);
    }
    if is_open {
        whole.push(b'/');
    }
    Some(whole)
}

/// What stands in a segment without being escaped: unreserved characters, sub-delimiters, `:` and `@`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

fn digit(nibble: u8) -> u8 {
    b"0123456789ABCDEF".get(usize::from(nibble)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[track_caller]
    fn check(target: &str, expected: &str) {
        let path = normalised(target.as_bytes()).map(|path| std::string::String::from_utf8_lossy(&path).into_owned());
        assert_eq!(path.as_deref(), Some(expected));
    }

    #[track_caller]
    fn nobody_knows(target: &str) {
        assert_eq!(normalised(target.as_bytes()), None, "{target}");
    }

    #[test]
    fn every_spelling_of_a_path_is_one() {
        for target in [
            "/admin",
            "/admin?x",
            "/admin?",
            "/admin#top",
            "//admin",
            "///admin",
            "/%61dmin",
            "/%61%64%6D%69%6e",
            "/x/../admin",
            "/x/%2e%2E/admin",
            "/./admin",
            "/../admin",
            "/x//..//admin",
            "\\admin",
            "/x\\..\\admin",
        ] {
            check(target, "/admin");
        }
    }

    #[test]
    fn a_slash_at_the_end_is_kept() {
        check("/", "/");
        check("//", "/");
        check("/admin/", "/admin/");
        check("/admin//", "/admin/");
        check("/admin/.", "/admin/");
        check("/admin/x/..", "/admin/");
        check("/..", "/");
    }

    #[test]
    fn one_level_of_escapes_is_read() {
        check("/%2561dmin", "/%2561dmin");
        check("/%252e%252e/admin", "/%252e%252e/admin");
        check("/100%", "/100%");
        check("/%zz/%a", "/%zz/%a");
    }

    #[test]
    fn a_character_is_written_alike_escaped_or_not() {
        check("/%40me%3bv", "/@me;v");
        check("/caf\u{e9}", "/caf%C3%A9");
        check("/caf%c3%a9", "/caf%C3%A9");
        check("/{id} \u{7f}", "/%7Bid%7D%20%7F");
        check("/%0d%0a", "/%0D%0A");
        check("/a%3Fb%23c", "/a%3Fb%23c");
    }

    #[test]
    fn what_servers_read_differently_is_no_path() {
        nobody_knows("/public%2f..%2fadmin");
        nobody_knows("/public%5Cadmin");
        nobody_knows("/admin%00.png");
        nobody_knows("/public/..;/admin");
        nobody_knows("/public/..%3Bx=1/admin");
        nobody_knows("/public/.;/admin");
        nobody_knows("");
        nobody_knows("admin");
        nobody_knows("?/admin");
        nobody_knows("http://host/admin");
    }

    #[test]
    fn a_server_as_a_whole_is_asked_for_with_a_star() {
        check("*", "*");
    }
}
