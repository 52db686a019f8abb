//! A request as conditions see it: what has been fetched and taken apart is not fetched again.

use alloc::vec::Vec;

use super::Values;
use crate::path::normalised;
use crate::{Headers, Request, SingleHeader};

/// A request that is looked at more than once.
pub(crate) struct View<'r> {
    request: &'r mut dyn Request,
    headers: Option<Headers>,
    method: Option<Option<Vec<u8>>>,
    host: Option<Option<Vec<u8>>>,
    target: Option<Option<Target>>,
    /// The last value of the query that was asked for.
    decoded: Vec<u8>,
}

/// `:path` in its parts.
struct Target {
    /// `None` where servers do not agree which path it is.
    path: Option<Vec<u8>>,
    query: Vec<u8>,
}

impl<'r> View<'r> {
    pub(crate) fn of(request: &'r mut dyn Request) -> View<'r> {
        View { request, headers: None, method: None, host: None, target: None, decoded: Vec::new() }
    }

    /// All headers. Whoever needs some of them in any case calls this first: everything else is then found in them.
    pub(crate) fn headers(&mut self) -> &Headers {
        self.headers.get_or_insert_with(|| self.request.all())
    }

    /// What else is known of the request.
    pub(crate) fn request(&mut self) -> &mut dyn Request {
        self.request
    }

    pub(crate) fn method(&mut self) -> Option<&[u8]> {
        if self.method.is_none() {
            self.method = Some(self.single(SingleHeader::Method));
        }
        self.method.as_ref()?.as_deref()
    }

    /// In lower case, without a port.
    pub(crate) fn host(&mut self) -> Option<&[u8]> {
        if self.host.is_none() {
            let authority = self.single(SingleHeader::Authority);
            self.host = Some(authority.map(|authority| without_port(&authority).to_ascii_lowercase()));
        }
        self.host.as_ref()?.as_deref()
    }

    /// Normalised, without the query. One about which servers disagree is several.
    pub(crate) fn path(&mut self) -> Values<'_> {
        let Some(target) = self.target() else { return Values::Missing };
        target.path.as_deref().map_or(Values::Several, Values::One)
    }

    /// By its lower-case name.
    pub(crate) fn header(&mut self, name: &[u8]) -> Values<'_> {
        let headers: &Headers = self.headers.get_or_insert_with(|| self.request.all());
        one_of(&mut headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| value))
    }

    /// Cookies of all `cookie` headers: HTTP/2 may send each in a header of its own.
    pub(crate) fn cookie<T>(&mut self, name: &[u8], read: impl FnOnce(Values<'_>) -> T) -> T {
        read(self.cookies_of(name))
    }

    /// Names and values of the query are percent-decoded, and `+` is a space.
    pub(crate) fn query<T>(&mut self, name: &[u8], read: impl FnOnce(Values<'_>) -> T) -> T {
        read(self.parameters_of(name))
    }

    #[inline(never)]
    fn cookies_of(&mut self, name: &[u8]) -> Values<'_> {
        let headers = self.headers().values(b"cookie").flat_map(cookies);
        one_of(&mut headers.filter(|(known, _)| *known == name).map(|(_, value)| value))
    }

    #[inline(never)]
    fn parameters_of(&mut self, name: &[u8]) -> Values<'_> {
        let query = self.target().map_or(&[][..], |target| &target.query);
        let pairs = query.split(|byte| *byte == b'&').map(|pair| parted(pair, b'=').unwrap_or((pair, b"")));
        let mut values = pairs.filter(|(known, _)| form_decoded(known) == name).map(|(_, value)| value);
        match one_of(&mut values) {
            Values::One(only) => {
                self.decoded = form_decoded(only);
                Values::One(&self.decoded)
            }
            Values::Missing => Values::Missing,
            Values::Several => Values::Several,
        }
    }

    fn target(&mut self) -> Option<&Target> {
        if self.target.is_none() {
            let target = self.single(SingleHeader::Path).map(|target| {
                let without_fragment = parted(&target, b'#').map_or(&target[..], |(before, _)| before);
                let query = parted(without_fragment, b'?').map_or(&b""[..], |(_, query)| query);
                Target { path: normalised(&target), query: query.to_vec() }
            });
            self.target = Some(target);
        }
        self.target.as_ref()?.as_ref()
    }

    fn single(&mut self, header: SingleHeader) -> Option<Vec<u8>> {
        match &self.headers {
            Some(headers) => headers.values(header.name().as_bytes()).next().map(<[u8]>::to_vec),
            None => self.request.single(header),
        }
    }
}

fn one_of<'v>(values: &mut dyn Iterator<Item = &'v [u8]>) -> Values<'v> {
    match (values.next(), values.next()) {
        (None, _) => Values::Missing,
        (Some(only), None) => Values::One(only),
        (Some(_), Some(_)) => Values::Several,
    }
}

fn parted(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// `name=value` pairs (RFC 6265, 4.2.1). Quotes around a value are not part of it, as in Envoy.
fn cookies(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = header.split(|byte| *byte == b';').filter_map(|pair| parted(pair, b'='));
    pairs.map(|(name, value)| {
        let value = value.trim_ascii();
        let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        (name.trim_ascii(), bare.unwrap_or(value))
    })
}

fn without_port(authority: &[u8]) -> &[u8] {
    let colon = authority.iter().rposition(|byte| *byte == b':');
    let parts = colon.and_then(|colon| Some((authority.get(..colon)?, authority.get(colon.checked_add(1)?..)?)));
    match parts {
        Some((host, port))
            if port.iter().all(u8::is_ascii_digit) && (!host.contains(&b':') || host.ends_with(b"]")) =>
        {
            host
        }
        _ => authority,
    }
}

/// As forms are written: what is no escape stays as it is.
fn form_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        decoded.push(match (first, after) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => *byte,
        });
    }
    decoded
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| digit.try_into().ok())
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{cookies, form_decoded, without_port};

    #[test]
    fn ports_are_no_part_of_hosts() {
        for (authority, host) in [
            ("shop.example:8080", "shop.example"),
            ("shop.example", "shop.example"),
            ("shop.example:", "shop.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(authority.as_bytes()), host.as_bytes(), "{authority}");
        }
    }

    #[test]
    fn escapes_are_decoded_once_and_what_is_none_stays() {
        for (text, decoded) in
            [("a%20b", "a b"), ("a+b", "a b"), ("%2541", "%41"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%41", "A")]
        {
            assert_eq!(form_decoded(text.as_bytes()), decoded.as_bytes(), "{text}");
        }
    }

    #[test]
    fn cookies_are_pairs_with_a_name() {
        let read: Vec<_> = cookies(b" a=1;b = \"two\" ; c; =d;e=f=g;").collect();
        let pairs: [(&[u8], &[u8]); 4] = [(b"a", b"1"), (b"b", b"two"), (b"", b"d"), (b"e", b"f=g")];
        assert_eq!(read, pairs);
    }
}
