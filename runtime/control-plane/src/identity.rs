//! Which proxies a client certificate may ask for.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use crate::published::family;

/// Templates of names in certificates, in which `{node}` stands for the proxy's name, and a path segment `*` for any.
///
/// `spiffe://*/node/{node}` matches the URI `spiffe://mesh.example/node/beta`, and `dns:{node}` the DNS name `beta`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    templates: Vec<String>,
}

/// What a client's certificate says about it, after TLS has verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    uris: Vec<String>,
    dns: Vec<String>,
    not_before: SystemTime,
    not_after: SystemTime,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATemplate {
    #[error("`{0}` must hold `{{node}}` once")]
    NoNode(String),
    #[error("`{0}` must begin with `spiffe://` or `dns:`")]
    NoScheme(String),
}

impl Identity {
    /// Whether the certificate stands for the proxy. It does not say whether it is still valid.
    pub fn allows(&self, certificate: &Certificate, proxy: &str) -> bool {
        !proxy.is_empty()
            && self.templates.iter().any(|template| match template.strip_prefix("dns:") {
                Some(template) => certificate.dns.iter().any(|name| is_host_of(template, name, proxy)),
                None => certificate.uris.iter().any(|uri| is_uri_of(template, uri, proxy)),
            })
    }

    /// The same for a proxy that was made of what runs: whoever stands for its family stands for it.
    pub fn allows_discovered(&self, certificate: &Certificate, proxy: &str) -> bool {
        self.allows(certificate, proxy) || family(proxy).is_some_and(|family| self.allows(certificate, family))
    }
}

impl Default for Identity {
    fn default() -> Self {
        let templates = ["spiffe://*/node/{node}", "spiffe://*/ns/*/sa/{node}", "dns:{node}"];
        Self { templates: templates.map(str::to_owned).to_vec() }
    }
}

impl FromStr for Identity {
    type Err = NotATemplate;

    /// Templates, separated by commas.
    fn from_str(text: &str) -> Result<Self, NotATemplate> {
        Ok(Self { templates: text.split(',').map(template).collect::<Result<_, _>>()? })
    }
}

impl Certificate {
    /// Nothing where the bytes are no certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = parse_x509_certificate(der).ok()?;
        let (mut uris, mut dns) = (Vec::new(), Vec::new());
        let names = certificate.subject_alternative_name().ok()?;
        for name in names.iter().flat_map(|names| &names.value.general_names) {
            match name {
                GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                GeneralName::DNSName(name) => dns.push((*name).to_owned()),
                _ => {}
            }
        }
        // SPIFFE: a document with several URIs is nobody's.
        if uris.len() > 1 {
            uris.clear();
        }
        let validity = certificate.validity();
        let (not_before, not_after) = (time(validity.not_before.timestamp()), time(validity.not_after.timestamp()));
        Some(Self { uris, dns, not_before, not_after })
    }

    pub fn is_valid(&self, now: SystemTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// How long it is still valid.
    pub fn remaining(&self, now: SystemTime) -> Duration {
        self.not_after.duration_since(now).unwrap_or_default()
    }

    /// The names, for a message to whoever holds it.
    pub fn names(&self) -> String {
        let names: Vec<String> =
            self.uris.iter().cloned().chain(self.dns.iter().map(|name| format!("dns:{name}"))).collect();
        if names.is_empty() { "no name".to_owned() } else { names.join(", ") }
    }
}

fn template(text: &str) -> Result<String, NotATemplate> {
    let text = text.trim();
    if text.matches("{node}").count() != 1 {
        return Err(NotATemplate::NoNode(text.to_owned()));
    }
    if !text.starts_with("spiffe://") && !text.starts_with("dns:") {
        return Err(NotATemplate::NoScheme(text.to_owned()));
    }
    Ok(text.to_owned())
}

fn is_uri_of(template: &str, uri: &str, proxy: &str) -> bool {
    let mut segments = uri.split('/');
    let matches = template.split('/').all(|wanted| match wanted.split_once("{node}") {
        // A name may have several segments, and none of them is a pattern.
        Some((before, after)) => {
            [before, proxy, after].concat().split('/').all(|wanted| segments.next() == Some(wanted))
        }
        None if wanted == "*" => segments.next().is_some_and(|segment| !segment.is_empty()),
        None => segments.next() == Some(wanted),
    });
    matches && segments.next().is_none()
}

/// Nothing in the proxy's name has a meaning.
fn is_host_of(template: &str, name: &str, proxy: &str) -> bool {
    name.eq_ignore_ascii_case(&template.replacen("{node}", proxy, 1))
}

fn time(seconds: i64) -> SystemTime {
    u64::try_from(seconds).map_or(UNIX_EPOCH, |seconds| UNIX_EPOCH + Duration::from_secs(seconds.min(1 << 40)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(uri: &str, dns: &[&str]) -> Certificate {
        Certificate {
            uris: if uri.is_empty() { Vec::new() } else { vec![uri.to_owned()] },
            dns: dns.iter().map(|name| (*name).to_owned()).collect(),
            not_before: UNIX_EPOCH,
            not_after: UNIX_EPOCH,
        }
    }

    #[track_caller]
    fn check(uri: &str, dns: &[&str], proxy: &str, allowed: bool) {
        assert_eq!(Identity::default().allows(&certificate(uri, dns), proxy), allowed);
    }

    #[test]
    fn a_spiffe_id_stands_for_the_node_it_names_in_any_trust_domain() {
        check("spiffe://mesh.example/node/beta", &[], "beta", true);
        check("spiffe://mesh.example/ns/prod/sa/beta", &[], "beta", true);
        check("spiffe://mesh.example/node/beta", &[], "alpha", false);
        check("spiffe://mesh.example/node/beta/x", &[], "beta", false);
        check("spiffe://mesh.example/x/node/beta", &[], "beta", false);
        check("spiffe:///node/beta", &[], "beta", false);
        check("http://mesh.example/node/beta", &[], "beta", false);
        check("spiffe://mesh.example/node/", &[], "", false);
    }

    #[test]
    fn a_name_is_never_a_pattern() {
        check("spiffe://mesh.example/node/beta", &[], "*", false);
        check("spiffe://mesh.example/node/{node}", &[], "beta", false);
        check("spiffe://mesh.example/node/*", &[], "beta", false);
        check("", &["*"], "beta", false);
        check("spiffe://mesh.example/node/a", &[], "../node/a", false);
    }

    #[test]
    fn a_node_whose_name_has_slashes_is_let_in_under_all_of_it() {
        let uri = "spiffe://mesh.example/node/shop/7f3c";
        check(uri, &[], "shop/7f3c", true);
        for other in ["shop", "7f3c", "*/7f3c", "shop/*", "*", "shop/", "/7f3c", "node/shop/7f3c"] {
            check(uri, &[], other, false);
        }
        check("spiffe://mesh.example/ns/prod/sa/shop/7f3c", &[], "shop/7f3c", true);
        check("spiffe://mesh.example/node/shop", &[], "shop/7f3c", false);
        check("spiffe://mesh.example/node/shop/7f3c/x", &[], "shop/7f3c", false);
    }

    #[test]
    fn a_family_stands_for_its_task_definitions_and_tasks_and_for_no_other() {
        let allows = |uri: &str, proxy: &str| Identity::default().allows_discovered(&certificate(uri, &[]), proxy);
        let orders = "spiffe://mesh.example/node/orders";
        for own in ["orders", "orders/7", "orders/8", "orders/7/7f3c"] {
            assert!(allows(orders, own), "{own}");
        }
        for other in
            ["pay/7", "orders-2/7", "order/7", "x/orders/7", "orders/x", "orders/7/a/b", "orders/", "/orders", ""]
        {
            assert!(!allows(orders, other), "{other}");
        }
        let one = "spiffe://mesh.example/node/orders/7";
        assert!(allows(one, "orders/7"));
        for other in ["orders", "orders/8", "orders/7/7f3c", "orders/78"] {
            assert!(!allows(one, other), "{other}");
        }
    }

    #[test]
    fn a_dns_name_stands_for_the_node_whatever_its_case() {
        check("", &["other", "Beta"], "beta", true);
        check("", &["beta.mesh.example"], "beta", false);
        check("", &[], "beta", false);
    }

    #[test]
    fn a_template_can_be_of_ones_own() {
        let identity: Identity = "spiffe://prod.example/{node}-proxy, dns:{node}.mesh.example".parse().unwrap();
        assert!(identity.allows(&certificate("spiffe://prod.example/beta-proxy", &[]), "beta"));
        assert!(identity.allows(&certificate("", &["beta.mesh.example"]), "beta"));
        assert!(!identity.allows(&certificate("spiffe://dev.example/beta-proxy", &[]), "beta"));
        assert!(!identity.allows(&certificate("spiffe://prod.example/node/beta", &[]), "beta"));
    }

    #[test]
    fn a_template_without_the_node_is_refused() {
        let error = "spiffe://*/node".parse::<Identity>().unwrap_err();
        assert_eq!(error.to_string(), "`spiffe://*/node` must hold `{node}` once");
        assert_eq!(
            "{node}".parse::<Identity>().unwrap_err().to_string(),
            "`{node}` must begin with `spiffe://` or `dns:`"
        );
    }
}
