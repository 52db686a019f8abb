//! Which requests a rule is about: hosts, and the paths it spares.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Request, SingleHeader};

/// A request's authority, fetched when first needed.
pub(crate) struct Authority<'r> {
    request: &'r mut dyn Request,
    fetched: Option<Option<Vec<u8>>>,
}

impl<'r> Authority<'r> {
    pub(crate) fn of(request: &'r mut dyn Request) -> Authority<'r> {
        Authority { request, fetched: None }
    }

    /// Whether one of the hosts is the request's; no hosts are any host.
    pub(crate) fn is_among(&mut self, hosts: &[String]) -> Among {
        if hosts.is_empty() || hosts.iter().any(|host| host == "*") {
            return Among::Yes;
        }
        let fetch = || authority_in_lower_case(self.request.single(SingleHeader::Authority).as_deref());
        match self.fetched.get_or_insert_with(fetch) {
            None => Among::Unknown,
            Some(authority) if hosts.iter().any(|host| host_matches(host, authority)) => Among::Yes,
            Some(_) => Among::No,
        }
    }
}

/// Whether a request's host is among a rule's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    Yes,
    No,
    /// The request has no authority. Envoy lets no such request through, so each policy treats
    /// this in whichever way is safe.
    Unknown,
}

/// What sidecars send with their health checks, and take from everything else that leaves through them or enters
/// through a gateway.
pub const HEALTH_CHECK_HEADER: &str = "x-meshwright-health-check";

/// What a health check of gRPC calls.
pub const GRPC_HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

/// Whether the request is a health check of the mesh's own: a GET (of gRPC a POST) of exactly one of the paths, without
/// a query, that carries the header. Anybody else's request for the same path is a request like any other.
pub(crate) fn is_exempt(paths: &[String], request: &mut dyn Request) -> bool {
    if paths.is_empty() {
        return false;
    }
    let target = request.single(SingleHeader::Path).unwrap_or_default();
    let asked = paths.iter().any(|exempt| exempt.as_bytes() == target);
    let method: &[u8] = if target == GRPC_HEALTH_CHECK.as_bytes() { b"POST" } else { b"GET" };
    if !asked || request.single(SingleHeader::Method).as_deref() != Some(method) {
        return false;
    }
    request.all().values(HEALTH_CHECK_HEADER.as_bytes()).next().is_some()
}

pub(crate) fn authority_in_lower_case(authority: Option<&[u8]>) -> Option<Vec<u8>> {
    authority.map(<[u8]>::to_ascii_lowercase)
}

/// Compares as Envoy's virtual hosts do: exactly, or with one `*` at either end which stands for
/// at least one character.
pub(crate) fn host_matches(host: &str, authority: &[u8]) -> bool {
    if let Some(suffix) = host.strip_prefix('*') {
        return suffix.is_empty() || (authority.len() > suffix.len() && authority.ends_with(suffix.as_bytes()));
    }
    if let Some(prefix) = host.strip_suffix('*') {
        return authority.len() > prefix.len() && authority.starts_with(prefix.as_bytes());
    }
    host.as_bytes() == authority
}
