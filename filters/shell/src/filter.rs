//! A policy with its type erased, so that one module can hold many.

use std::rc::Rc;

use policy::{Counter, Env, HttpPolicy, Request, Verdict};

/// A configured policy.
pub type Decide = Rc<dyn Fn(&mut dyn Request, &mut Env<'_>) -> Verdict>;

/// A policy that waits for its configuration.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// The root id that selects it.
    pub root_id: &'static str,
    /// The counters it may raise.
    pub counters: &'static [Counter],
    /// Reads its configuration.
    pub configure: fn(&[u8]) -> Result<Decide, serde_json::Error>,
}

/// The filter of a policy.
pub const fn filter<P: HttpPolicy + 'static>() -> Filter {
    Filter { root_id: P::ROOT_ID, counters: P::COUNTERS, configure: configure::<P> }
}

fn configure<P: HttpPolicy + 'static>(json: &[u8]) -> Result<Decide, serde_json::Error> {
    let policy = P::new(serde_json::from_slice(json)?);
    Ok(Rc::new(move |request, env| policy.on_request(request, env)))
}
