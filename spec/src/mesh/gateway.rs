//! A gateway: a front proxy through which requests enter the mesh.

use std::net::IpAddr;
use std::time::Duration;

use super::node::Calls;
use super::policy::{BasicAuth, Retry};
use super::route::Route;
use crate::names::Name;
use crate::source::Spanned;

/// A gateway and everything said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    pub name: Spanned<Name>,
    /// The port it listens on.
    pub listen: Spanned<u16>,
    pub bind: Option<Spanned<IpAddr>>,
    /// How many proxies of ours stand before it, such as a load balancer: so many entries of `x-forwarded-for` are
    /// believed, and `x-forwarded-proto` is kept. Default 0: both are set anew.
    pub trusted_hops: Option<Spanned<u32>>,
    /// Services that outside callers reach by the service's own name as `Host`.
    pub calls: Calls,
    /// Host names of the outside world.
    pub hosts: Vec<GatewayHost>,
    /// Holds for every request of this gateway, whatever its host or path.
    pub basic_auth: Option<BasicAuth>,
    pub timeout: Option<Spanned<Duration>>,
    pub retry: Option<Retry>,
}

/// A host name and where its requests go.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayHost {
    /// Exact (`shop.example`), or with one leading `*.` (`*.shop.example`), or `*`.
    pub pattern: Spanned<String>,
    /// First match wins; a request that no route takes gets 404.
    pub routes: Vec<Route>,
}
