//! Who may send which request.

use alloc::string::String;
use alloc::vec::Vec;

use super::{BasicAuthRule, BasicAuthUser};
use crate::path::{normalised, spelled};
use crate::{Request, SingleHeader};

/// The rules, in order.
#[derive(Debug)]
pub(super) struct Rules(Vec<BasicAuthRule>);

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Public,
    /// Any user's password.
    User,
    /// What the rule at this place says.
    Ruled(usize),
}

impl Rules {
    pub(super) fn new(mut rules: Vec<BasicAuthRule>) -> Rules {
        for rule in &mut rules {
            rule.path = rule.path.take().map(|path| one_spelling(path, normalised));
            rule.path_prefix = rule.path_prefix.take().map(|path| one_spelling(path, spelled));
        }
        Rules(rules)
    }

    /// What the first rule that fits says. `None` where it cannot be said whether a rule fits: part of the request is
    /// missing, or its path is one that servers read differently.
    pub(super) fn access(&self, request: &mut dyn Request) -> Option<Access> {
        let mut seen = Seen { request, host: None, path: None, method: None };
        for (place, rule) in self.0.iter().enumerate() {
            if rule.fits(&mut seen)? {
                let is_for_all = rule.groups.is_empty() && rule.users.is_empty();
                return Some(match rule.public {
                    true => Access::Public,
                    false if is_for_all => Access::User,
                    false => Access::Ruled(place),
                });
            }
        }
        Some(Access::User)
    }

    /// Whether a user who has proved the name may.
    pub(super) fn permit(&self, access: Access, user: &BasicAuthUser) -> bool {
        let Access::Ruled(place) = access else { return true };
        self.0.get(place).is_some_and(|rule| {
            rule.users.contains(&user.name) || user.groups.iter().any(|group| rule.groups.contains(group))
        })
    }
}

impl BasicAuthRule {
    fn fits(&self, seen: &mut Seen<'_>) -> Option<bool> {
        if !self.methods.is_empty() {
            let method = seen.method()?;
            if !self.methods.iter().any(|one| one.as_bytes() == method) {
                return Some(false);
            }
        }
        if !self.hosts.is_empty() {
            let host = seen.host()?;
            if !self.hosts.iter().any(|one| host_matches(one, host)) {
                return Some(false);
            }
        }
        if let Some(path) = &self.path {
            return Some(seen.path()? == path.as_bytes());
        }
        if let Some(prefix) = &self.path_prefix {
            return Some(seen.path()?.starts_with(prefix.as_bytes()));
        }
        Some(true)
    }
}

/// What rules have looked at, fetched once.
struct Seen<'r> {
    request: &'r mut dyn Request,
    host: Option<Vec<u8>>,
    path: Option<Vec<u8>>,
    method: Option<Vec<u8>>,
}

impl Seen<'_> {
    fn host(&mut self) -> Option<&[u8]> {
        if self.host.is_none() {
            self.host = Some(host_of(&self.request.single(SingleHeader::Authority)?));
        }
        self.host.as_deref()
    }

    fn path(&mut self) -> Option<&[u8]> {
        if self.path.is_none() {
            self.path = Some(normalised(&self.request.single(SingleHeader::Path)?)?);
        }
        self.path.as_deref()
    }

    fn method(&mut self) -> Option<&[u8]> {
        if self.method.is_none() {
            self.method = Some(self.request.single(SingleHeader::Method)?);
        }
        self.method.as_deref()
    }
}

/// The host of an authority: in lower case, without its port and the root's dot, both of which name the same host.
fn host_of(authority: &[u8]) -> Vec<u8> {
    let colon = authority.iter().rposition(|byte| *byte == b':');
    let is_port = |colon: &usize| {
        authority
            .get(*colon..)
            .and_then(<[u8]>::split_first)
            .is_some_and(|(_, port)| port.iter().all(u8::is_ascii_digit))
    };
    let host = colon.filter(is_port).and_then(|colon| authority.get(..colon)).unwrap_or(authority);
    host.strip_suffix(b".").unwrap_or(host).to_ascii_lowercase()
}

/// Rewritten as a request's path is. One that has no single meaning stays as it is, which is no request's.
fn one_spelling(path: String, rewritten: impl Fn(&[u8]) -> Option<Vec<u8>>) -> String {
    rewritten(path.as_bytes()).and_then(|path| String::from_utf8(path).ok()).unwrap_or(path)
}

/// Compares as Envoy's virtual hosts do: exactly, or with one `*` at either end which stands for
/// at least one character.
fn host_matches(host: &str, authority: &[u8]) -> bool {
    if let Some(suffix) = host.strip_prefix('*') {
        return suffix.is_empty() || (authority.len() > suffix.len() && authority.ends_with(suffix.as_bytes()));
    }
    if let Some(prefix) = host.strip_suffix('*') {
        return authority.len() > prefix.len() && authority.starts_with(prefix.as_bytes());
    }
    host.as_bytes() == authority
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_is_one_whatever_its_port_case_and_dot() {
        for authority in ["shop.svc", "SHOP.svc", "shop.svc:80", "shop.svc.", "Shop.Svc.:8080", "shop.svc:"] {
            assert_eq!(host_of(authority.as_bytes()), b"shop.svc", "{authority}");
        }
        assert_eq!(host_of(b"[::1]:80"), b"[::1]");
        assert_eq!(host_of(b"[::1]"), b"[::1]");
    }
}
