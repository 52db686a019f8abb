//! Every policy, with its type erased: one list for the module, the tests, the benches and the browser.

use alloc::boxed::Box;

use crate::basic_auth::BasicAuth;
use crate::fault::Fault;
use crate::header_routing::HeaderRouting;
use crate::ip_access::IpAccess;
use crate::no_op::NoOp;
use crate::rate_limit::RateLimit;
use crate::{Counter, Env, HttpPolicy, Invalid, Request, Verdict, decode};

/// Every filter of the module.
pub const FILTERS: &[Filter] = &[
    filter::<BasicAuth>(),
    filter::<Fault>(),
    filter::<HeaderRouting>(),
    filter::<IpAccess>(),
    filter::<NoOp>(),
    filter::<RateLimit>(),
];

/// A policy that waits for its configuration.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// The root id that selects it.
    pub root_id: &'static str,
    /// The counters it may raise.
    pub counters: &'static [Counter],
    /// Reads its configuration.
    pub configure: Configure,
}

/// Makes a policy of its configuration.
pub type Configure = fn(&[u8]) -> Result<Box<dyn Decide>, Invalid>;

/// A configured policy.
pub trait Decide {
    /// Decides one request.
    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict;
}

impl<P: HttpPolicy> Decide for P {
    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        HttpPolicy::on_request(self, request, env)
    }
}

/// The filter with a root id.
pub fn find(root_id: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.root_id == root_id)
}

const fn filter<P: HttpPolicy + 'static>() -> Filter {
    Filter { root_id: P::ROOT_ID, counters: P::COUNTERS, configure: configure::<P> }
}

fn configure<P: HttpPolicy + 'static>(json: &[u8]) -> Result<Box<dyn Decide>, Invalid> {
    Ok(Box::new(P::new(decode(json)?)))
}
