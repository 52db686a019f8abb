//! One configured filter: decides, counts, and lets held requests go.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use policy::{Counter, Decide, Verdict, find};

use crate::callbacks;
use crate::delays::{Delays, Hold};
use crate::hostcalls::{self, Metric};
use crate::stream;
use crate::world::{Current, World};

/// What the streams of one plugin share.
pub(crate) struct Plugin {
    decide: RefCell<Box<dyn Decide>>,
    counters: Vec<(Counter, u32)>,
    delays: RefCell<Delays>,
    held: Cell<Option<u32>>,
    root_id: &'static str,
}

impl Plugin {
    /// Configures whichever filter the plugin's root id names; otherwise says why not in the log.
    pub(crate) fn configured() -> Option<Plugin> {
        configure().inspect_err(|reason| hostcalls::log_error(reason)).ok()
    }

    /// None where the policy is deciding already, which cannot be.
    pub(crate) fn decide(&self) -> Option<Verdict> {
        let mut policy = self.decide.try_borrow_mut().ok()?;
        Some(policy.on_request(&mut Current, &mut World(self)))
    }

    pub(crate) fn count(&self, counter: Counter) {
        if let Some((_, id)) = self.counters.iter().find(|(known, _)| *known == counter) {
            // A metric that Envoy refuses is not worth a request.
            let _ = hostcalls::add_to_metric(*id, 1);
        }
    }

    /// How many requests are held, on all workers: what Envoy's gauge says.
    pub(crate) fn held(&self) -> u64 {
        self.gauge().and_then(|id| hostcalls::metric(id).ok()).unwrap_or_default()
    }

    pub(crate) fn hold(&self, context: u32, millis: u32) -> Option<Hold> {
        let hold = self.delays.try_borrow_mut().ok()?.hold(context, hostcalls::monotonic_nanos(), millis);
        self.add_held(1);
        self.rearm();
        Some(hold)
    }

    /// A held request whose client has gone away must not be let go: its context is no more.
    pub(crate) fn forget(&self, hold: Hold) {
        if let Ok(mut delays) = self.delays.try_borrow_mut() {
            delays.forget(hold);
        }
        self.add_held(-1);
    }

    pub(crate) fn on_tick(&self) {
        let due = match self.delays.try_borrow_mut() {
            Ok(mut delays) => delays.take_due(hostcalls::monotonic_nanos()),
            Err(_) => return,
        };
        // Before the effective context changes: the period and the gauge are the plugin's own.
        self.rearm();
        for hold in due {
            self.add_held(-1);
            let then = callbacks::released(hold);
            if hostcalls::set_effective_context(hold.context).is_ok() {
                stream::release(then);
            }
        }
    }

    /// Asks to be woken when the next held request is due.
    fn rearm(&self) {
        let Ok(delays) = self.delays.try_borrow() else { return };
        // Without ticks, held requests end with Envoy's own time limits.
        let _ = hostcalls::set_tick_period(delays.tick_millis(hostcalls::monotonic_nanos()));
    }

    fn add_held(&self, offset: i64) {
        if let Some(id) = self.gauge() {
            let _ = hostcalls::add_to_metric(id, offset);
        }
    }

    /// Defined when first needed: most filters hold nothing.
    fn gauge(&self) -> Option<u32> {
        if self.held.get().is_none() {
            let name = format!("meshwright_{}_held", self.root_id.replace('-', "_"));
            self.held.set(hostcalls::define_metric(Metric::Gauge, &name).ok());
        }
        self.held.get()
    }
}

/// Reports what is wrong by place and kind only: the configuration holds secrets.
fn configure() -> Result<Plugin, String> {
    let root_id = hostcalls::property("plugin_root_id").unwrap_or_default();
    let Some(filter) = core::str::from_utf8(&root_id).ok().and_then(find) else {
        return Err(format!("meshwright: no filter has the root id `{}`", root_id.escape_ascii()));
    };
    let json = hostcalls::plugin_configuration().unwrap_or_default();
    let decide = (filter.configure)(&json).map_err(|invalid| format!("meshwright {}: {invalid}", filter.root_id))?;
    let defined = |counter: &Counter| Some((*counter, hostcalls::define_metric(Metric::Counter, counter.name()).ok()?));
    Ok(Plugin {
        decide: RefCell::new(decide),
        counters: filter.counters.iter().filter_map(defined).collect(),
        delays: RefCell::default(),
        held: Cell::new(None),
        root_id: filter.root_id,
    })
}
