//! What one route says, or two of which a request meets one after the other.

use std::borrow::Cow;
use std::time::Duration;

use ::envoy::config::route::v3::{CookieMatcher, HeaderMatcher, QueryParameterMatcher};
use spec::mesh::{Cors, HeaderEdits, HostRewrite, RateLimit, Retry, RouteMatch};
use spec::units::Percent;

use crate::checked::{Action, Mirror, Route, Target};
use crate::two_pass::{Combined, PathChange, PathCondition, PathPlan};

#[derive(Clone)]
pub(super) struct Plan<'a> {
    pub path: PathPlan,
    /// What is said of requests besides their path: all of it must hold.
    pub matches: Vec<&'a RouteMatch>,
    /// Further conditions on headers.
    pub headers: Vec<HeaderMatcher>,
    pub query: Vec<QueryParameterMatcher>,
    pub cookies: Vec<CookieMatcher>,
    /// Of the requests for which all of that holds, so many.
    pub share: Option<Percent>,
    pub timeout: Option<Duration>,
    pub idle_timeout: Option<Duration>,
    pub websocket: bool,
    pub retry: Option<&'a Retry>,
    pub host: Option<&'a HostRewrite>,
    pub mirrors: Vec<&'a Mirror>,
    pub rate_limits: Vec<&'a RateLimit>,
    pub cors: Option<&'a Cors>,
    /// The narrowest first.
    pub request_headers: Vec<&'a HeaderEdits>,
    pub response_headers: Vec<&'a HeaderEdits>,
    pub action: Cow<'a, Action>,
}

impl<'a> Plan<'a> {
    /// `None`: no request meets it.
    pub(super) fn of(route: &'a Route) -> Option<Self> {
        let change = match &route.action {
            Action::To(_) => route.rewrite.as_deref().and_then(PathChange::of_rewrite),
            Action::Redirect(redirect) => redirect.path.as_ref().map(|path| PathChange::of_path(&path.value)),
            Action::Respond(_) => None,
        };
        Some(Self {
            path: PathPlan::of(&route.matches, change)?,
            matches: vec![&route.matches],
            headers: Vec::new(),
            query: Vec::new(),
            cookies: Vec::new(),
            share: None,
            timeout: route.timeout,
            idle_timeout: route.idle_timeout,
            websocket: route.websocket,
            retry: route.retry.as_ref(),
            host: route.rewrite.as_deref().and_then(|rewrite| rewrite.host.as_ref()).map(|host| &host.value),
            mirrors: route.mirrors.iter().collect(),
            rate_limits: route.rate_limits.iter().collect(),
            cors: route.cors.as_deref(),
            request_headers: route.request_headers.as_deref().into_iter().collect(),
            response_headers: route.response_headers.as_deref().into_iter().collect(),
            action: Cow::Borrowed(&route.action),
        })
    }

    /// Every request goes there, as it is.
    pub(super) fn to(target: Target) -> Self {
        Self::to_all(vec![target])
    }

    /// Every request goes to one of them, as it is.
    pub(super) fn to_all(targets: Vec<Target>) -> Self {
        Self {
            path: PathPlan::new(PathCondition::any(), None),
            matches: Vec::new(),
            headers: Vec::new(),
            query: Vec::new(),
            cookies: Vec::new(),
            share: None,
            timeout: None,
            idle_timeout: None,
            websocket: true,
            retry: None,
            host: None,
            mirrors: Vec::new(),
            rate_limits: Vec::new(),
            cors: None,
            request_headers: Vec::new(),
            response_headers: Vec::new(),
            action: Cow::Owned(Action::To(targets)),
        }
    }

    pub(super) fn with(mut self, headers: Vec<HeaderMatcher>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The requests of this plan's one target that meet that one's own plan, too; `None` if there are none. What both
    /// say, the inner one says.
    pub(super) fn then(&self, target: &'a Target, inner: Self) -> Option<Self> {
        // What cannot be said is a fault that the check has found.
        let Combined::Plan(mut path) = self.path.then(&inner.path) else { return None };
        let rewrites = matches!(*inner.action, Action::To(_));
        if !rewrites && inner.path.change.is_none() {
            // The caller is answered about the path that it asked for.
            path.change = None;
        }
        let mut plan = self.clone();
        plan.path = path;
        plan.matches.extend(inner.matches);
        plan.headers.extend(inner.headers);
        plan.query.extend(inner.query);
        plan.cookies.extend(inner.cookies);
        plan.share = inner.share.or(plan.share);
        plan.timeout = inner.timeout.or(self.timeout);
        plan.idle_timeout = inner.idle_timeout.or(self.idle_timeout);
        plan.websocket = inner.websocket && self.websocket;
        plan.retry = inner.retry.or(self.retry);
        plan.host = inner.host.or(self.host);
        plan.mirrors.extend(inner.mirrors);
        plan.rate_limits.extend(inner.rate_limits);
        plan.cors = inner.cors.or(self.cors);
        let ours = target.request_headers.as_deref().into_iter().chain(self.request_headers.iter().copied());
        plan.request_headers = inner.request_headers.into_iter().chain(ours).collect();
        let ours = target.response_headers.as_deref().into_iter().chain(self.response_headers.iter().copied());
        plan.response_headers = inner.response_headers.into_iter().chain(ours).collect();
        plan.action = inner.action;
        Some(plan)
    }
}
