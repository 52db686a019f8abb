//! Deliberate failures: our filter delays and aborts, Envoy's slows responses down, and does all of it where it must.

use policy::fault::{HeaderName, HeaderValue, Status};
use policy::{
    Condition, FaultCallers, FaultConfig, FaultControl, FaultHeader, FaultSelect, NamedMatch, Network, StringMatch,
    http_status_of_grpc,
};
use spec::mesh::{self, Engine, HeaderMatch, HeaderValueMatch};
use spec::units::Instant;

use super::policies::{Chain, Policies};
use super::scope::Scope;
use super::tls;
use crate::checked::{self, Fault};
use crate::envoy::http_filter::{self, fault as native, wasm};
use crate::fault_engine::engine;

/// Adds the filters that make a fault, and says how each is turned off.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let Some(fault) = policies.fault else { return };
    let ours = engine(&fault.said) == Engine::Wasm;
    if ours && let Some(config) = config(scope, fault) {
        let filter = wasm::fault(&policies.owner, &config, scope.module);
        chain
            .faults
            .entry(policies.owner.clone())
            .or_default()
            .insert(filter.name().to_owned(), http_filter::disabled());
        chain.add(policies, filter);
    }
    let filter = if ours { native::slow(&fault.said) } else { Some(native::whole(&fault.said)) };
    if let Some(config) = filter {
        let filter = native::sound();
        let off = (filter.name().to_owned(), http_filter::disabled());
        chain.past_checks.entry(policies.owner.clone()).or_default().extend([off.clone()]);
        chain.faults.entry(policies.owner.clone()).or_default().extend([off]);
        chain.add_configured(policies, filter, ::envoy::any(&config));
    }
}

/// What our filter does; `None` where nothing is left for it.
fn config(scope: &Scope<'_>, fault: &Fault) -> Option<FaultConfig> {
    let Fault { said, callers, controllers } = fault;
    let of_callers = |of: &checked::FaultCallers| callers_of(scope, of);
    let window = |edge: fn(&mesh::FaultWindow) -> Option<Instant>| said.window.as_ref().and_then(edge);
    let config = FaultConfig {
        delay: said.delay.as_ref().map(delay),
        abort: abort(said),
        when: said.headers.iter().filter_map(condition).collect(),
        from: callers.as_ref().map(of_callers),
        select: said.select.as_ref().map(|select| FaultSelect {
            header: select.by_header.value.to_ascii_lowercase(),
            seed: select.seed.as_ref().map(|seed| seed.value.clone()).unwrap_or_default(),
        }),
        starts: window(|window| Some(window.from?.value)).map(Instant::unix_seconds),
        ends: window(|window| Some(window.until?.value)).map(Instant::unix_seconds),
        max_active: said.max_active.map(|most| most.value),
        control: said.header_control.as_ref().map(|it| control(it, controllers.as_ref().map(of_callers))),
    };
    let does = config.delay.is_some() || config.abort.is_some() || config.control.is_some();
    does.then_some(config)
}

fn delay(said: &mesh::FaultDelay) -> policy::FaultDelay {
    let millis = millis(said.duration.value);
    let jitter = said.jitter.map_or(0, |jitter| self::millis(jitter.value));
    let up_to = said.up_to.map_or(0, |up_to| self::millis(up_to.value));
    policy::FaultDelay {
        millis: millis.saturating_sub(jitter),
        up_to: if jitter > 0 { millis.saturating_add(jitter) } else { up_to },
        per_million: said.percent.value.per_million(),
    }
}

/// Of an hour at most.
fn millis(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn abort(said: &mesh::Fault) -> Option<policy::FaultAbort> {
    if let Some(abort) = &said.abort {
        return Some(policy::FaultAbort {
            status: Status(abort.status.value),
            grpc_status: None,
            body: abort.body.as_ref().map(|body| body.value.clone()),
            headers: headers(&abort.set),
            per_million: abort.percent.value.per_million(),
        });
    }
    let abort = said.grpc_abort.as_ref()?;
    let grpc_status = u8::try_from(abort.status.value).ok()?;
    Some(policy::FaultAbort {
        status: Status(http_status_of_grpc(grpc_status)?),
        grpc_status: Some(grpc_status),
        body: abort.message.as_ref().map(|message| message.value.clone()),
        headers: headers(&abort.set),
        per_million: abort.percent.value.per_million(),
    })
}

fn headers(said: &[mesh::FaultHeader]) -> Vec<FaultHeader> {
    let header = |header: &mesh::FaultHeader| FaultHeader {
        name: HeaderName(header.name.value.to_ascii_lowercase()),
        value: HeaderValue(header.value.value.clone()),
    };
    said.iter().map(header).collect()
}

/// `None`: only Envoy's own filter compares so.
fn condition(header: &HeaderMatch) -> Option<Condition> {
    let value = match &header.value.value {
        HeaderValueMatch::Exact(text) => StringMatch::Exact(text.clone()),
        HeaderValueMatch::Prefix(text) => StringMatch::Prefix(text.clone()),
        HeaderValueMatch::Suffix(text) => StringMatch::Suffix(text.clone()),
        HeaderValueMatch::Contains(text) => StringMatch::Contains(text.clone()),
        HeaderValueMatch::Range(range) => {
            StringMatch::Range(policy::NumberRange { start: range.start, end: range.end })
        }
        HeaderValueMatch::Present => StringMatch::Present,
        HeaderValueMatch::Regex(_) => return None,
    };
    Some(Condition::Header(NamedMatch {
        name: header.name.value.to_ascii_lowercase(),
        value,
        ignore_case: header.ignore_case.is_some_and(|it| it.value),
        invert: header.inverted(),
    }))
}

fn callers_of(scope: &Scope<'_>, said: &checked::FaultCallers) -> FaultCallers {
    let services = said.from.iter().map(|id| tls::identity(scope, scope.mesh.service(*id).name.as_str()));
    FaultCallers {
        identities: services.chain(said.identities.iter().cloned()).collect(),
        networks: said.networks.iter().map(|network| Network::new(network.address, network.prefix)).collect(),
    }
}

fn control(said: &mesh::FaultControl, from: Option<FaultCallers>) -> FaultControl {
    FaultControl {
        max_millis: said.max_delay.map_or(0, |longest| millis(longest.value)),
        statuses: said.abort.iter().map(|status| Status(status.value)).collect(),
        grpc_statuses: said.grpc_abort.iter().filter_map(|status| u8::try_from(status.value).ok()).collect(),
        max_per_million: said.max_percent.value.per_million(),
        from,
    }
}
