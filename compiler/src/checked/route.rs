//! Routes with their names resolved.

use std::time::Duration;

use spec::mesh::{
    Conditions, Cors, Engine, HashKey, HeaderEdits, RateLimit, Redirect, Respond, Retry, Rewrite, RouteMatch,
    VisitorCookie,
};
use spec::units::Percent;

use super::{Id, Service};

/// Which requests, and what becomes of them. There are tens of thousands, and most say little: what is seldom said is
/// elsewhere.
#[derive(Clone, Debug)]
pub struct Route {
    pub matches: RouteMatch,
    pub timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    pub websocket: bool,
    pub retry: Option<Retry>,
    pub rewrite: Option<Box<Rewrite>>,
    pub mirrors: Vec<Mirror>,
    pub rate_limits: Vec<RateLimit>,
    pub cors: Option<Box<Cors>>,
    pub request_headers: Option<Box<HeaderEdits>>,
    pub response_headers: Option<Box<HeaderEdits>>,
    pub action: Action,
}

/// What becomes of requests.
#[derive(Clone, Debug)]
pub enum Action {
    /// Never empty; the weights' sum is positive and fits `u32`.
    To(Vec<Target>),
    Redirect(Box<Redirect>),
    Respond(Box<Respond>),
}

/// A share of a route's requests.
#[derive(Clone, Debug)]
pub struct Target {
    pub to: Destination,
    pub weight: u32,
    pub request_headers: Option<Box<HeaderEdits>>,
    pub response_headers: Option<Box<HeaderEdits>>,
}

/// A service, or a subset of its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    pub service: Id<Service>,
    /// An index into the service's subsets; `None`: the default one, if there is one.
    pub subset: Option<usize>,
}

/// Copies of requests.
#[derive(Clone, Debug)]
pub struct Mirror {
    pub to: Destination,
    pub percent: Percent,
}

/// Requests that carry something go elsewhere.
#[derive(Clone, Debug)]
pub struct RoutingRule {
    /// Never empty; the weights' sum is positive.
    pub to: Vec<Target>,
    pub conditions: Conditions,
    pub percent: Percent,
    pub sticky: Option<Stickiness>,
    pub dry_run: bool,
    /// As the mesh says.
    pub engine: Engine,
}

/// Which requests share one decision of a rule.
#[derive(Clone, Debug)]
pub enum Stickiness {
    /// Those that have this in common.
    By { key: HashKey, seed: String },
    /// Those of one visitor, after the first.
    Visitor { cookie: VisitorCookie, seed: String },
}

impl Route {
    /// Every request goes to these.
    pub fn to(targets: Vec<Target>) -> Self {
        Self {
            matches: RouteMatch::default(),
            timeout: None,
            idle_timeout: None,
            websocket: true,
            retry: None,
            rewrite: None,
            mirrors: Vec::new(),
            rate_limits: Vec::new(),
            cors: None,
            request_headers: None,
            response_headers: None,
            action: Action::To(targets),
        }
    }

    /// The services that share its requests; none when it answers itself.
    pub fn targets(&self) -> &[Target] {
        match &self.action {
            Action::To(targets) => targets,
            Action::Redirect(_) | Action::Respond(_) => &[],
        }
    }

    /// Where its requests and their copies go.
    pub fn destinations(&self) -> impl Iterator<Item = Destination> {
        let targets = self.targets().iter().map(|target| target.to);
        targets.chain(self.mirrors.iter().map(|mirror| mirror.to))
    }
}

impl Target {
    /// All requests, to a service.
    pub fn all(service: Id<Service>) -> Self {
        Self { to: Destination { service, subset: None }, weight: 1, request_headers: None, response_headers: None }
    }
}
