//! One configured filter: decides, counts, and lets held requests go.

use std::cell::RefCell;

use policy::Counter;

use crate::delays::Delays;
use crate::filter::{Decide, Filter};
use crate::hostcalls;
use crate::stream;

/// What the streams of one plugin share.
pub(crate) struct Plugin {
    pub(crate) decide: Decide,
    counters: Vec<(Counter, u32)>,
    pub(crate) delays: RefCell<Delays>,
}

impl Plugin {
    /// Configures whichever filter the plugin's root id names; otherwise says why not in the log.
    pub(crate) fn configured(filters: &[Filter]) -> Option<Plugin> {
        configure(filters).inspect_err(|reason| hostcalls::log_error(reason)).ok()
    }

    pub(crate) fn count(&self, counter: Counter) {
        if let Some((_, id)) = self.counters.iter().find(|(known, _)| *known == counter) {
            // A metric that Envoy refuses is not worth a request.
            let _ = hostcalls::increment(*id);
        }
    }

    /// Asks to be woken when the next held request is due.
    pub(crate) fn rearm(&self) {
        let Ok(delays) = self.delays.try_borrow() else { return };
        // Without ticks, held requests end with Envoy's own time limits.
        let _ = hostcalls::set_tick_period(delays.tick_millis(hostcalls::monotonic_nanos()));
    }

    pub(crate) fn on_tick(&self) {
        let due = match self.delays.try_borrow_mut() {
            Ok(mut delays) => delays.take_due(hostcalls::monotonic_nanos()),
            Err(_) => return,
        };
        // Before the effective context changes: the period is the plugin's own.
        self.rearm();
        for request in due {
            if hostcalls::set_effective_context(request.context).is_ok() {
                stream::release(request.then);
            }
        }
    }
}

/// Reports what is wrong by place and kind only: the configuration holds secrets.
fn configure(filters: &[Filter]) -> Result<Plugin, String> {
    let root_id = hostcalls::property("plugin_root_id").unwrap_or_default();
    let Some(filter) = filters.iter().find(|filter| filter.root_id.as_bytes() == root_id) else {
        return Err(format!("meshwright: no filter has the root id `{}`", root_id.escape_ascii()));
    };
    let json = hostcalls::plugin_configuration().unwrap_or_default();
    let decide = (filter.configure)(&json).map_err(|error| {
        let (id, kind) = (filter.root_id, error.classify());
        let (line, column) = (error.line(), error.column());
        format!("meshwright {id}: bad configuration at {line}:{column} ({kind:?})")
    })?;
    let mut counters = Vec::new();
    for counter in filter.counters {
        if let Ok(id) = hostcalls::define_counter(counter.name()) {
            counters.push((*counter, id));
        }
    }
    Ok(Plugin { decide, counters, delays: RefCell::default() })
}
