//! Whom a URL names. What is no URL a rule has refused.

use spec::mesh::HostPort;

pub(super) struct Server {
    /// In TLS.
    pub encrypted: bool,
    /// At the port of the scheme unless the URL says one.
    pub at: HostPort,
}

pub(super) fn server(url: &str) -> Server {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let encrypted = !scheme.eq_ignore_ascii_case("http");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let at = HostPort::parse(authority).unwrap_or_else(|| {
        let host = authority.trim_start_matches('[').trim_end_matches(']');
        HostPort { host: host.to_owned(), port: if encrypted { 443 } else { 80 } }
    });
    Server { encrypted, at }
}
