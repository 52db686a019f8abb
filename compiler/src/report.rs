//! What does the work of each policy in each Envoy, why, and what it costs.
//!
//! Costs are CPU time a request inside a real Envoy, measured by `benches` on a machine of two cores, where a request
//! without filters takes 65.2 µs. What nobody has measured has none.

use std::collections::BTreeMap;

use serde::Serialize;
use spec::mesh::{Engine, Fault, IpAccess, RateLimit};

use crate::checked::{ApiKey, BasicAuth, CheckedMesh, FilterUse, Id, Proxy, Service, Situation};
use crate::fault_engine;
use crate::lower::{compares, ip_access, rate_limit};

/// A request through an Envoy without filters.
pub const MICROSECONDS_OF_NOTHING: f64 = 65.2;
const BASIC_AUTH: f64 = 17.4;
const FAULT: f64 = 16.5;
const HEADER_ROUTING: f64 = 17.1;
const NATIVE_BASIC_AUTH: f64 = 3.1;
/// A filter that does nothing: what a user's filter costs at least.
const NO_OP: f64 = 9.7;
/// The first module of an Envoy, with V8 itself; each further one.
const FIRST_MODULE_MEGABYTES: f64 = 25.0;
const FURTHER_MODULE_MEGABYTES: f64 = 1.0;

/// One Envoy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProxyReport {
    pub proxy: String,
    pub policies: Vec<Line>,
    /// What is known of the CPU time that the policies add to a request.
    pub microseconds: f64,
    /// What modules add to the memory of the process.
    pub megabytes: f64,
}

/// One policy, of everything in this Envoy that says it and gets it from the same engine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    pub policy: &'static str,
    /// Services, or the gateway itself.
    pub of: Vec<String>,
    /// `wasm` or `native`.
    pub engine: &'static str,
    pub why: String,
    /// A request; `None`: not measured.
    pub microseconds: Option<f64>,
}

/// Every Envoy of a mesh, in its order.
pub fn report(mesh: &CheckedMesh) -> Vec<ProxyReport> {
    mesh.proxies().map(|proxy| of_proxy(mesh, proxy)).collect()
}

#[derive(Default)]
struct Lines(BTreeMap<(&'static str, &'static str, String), Line>);

impl Lines {
    fn add(&mut self, policy: &'static str, of: &str, engine: Engine, why: &str, microseconds: Option<f64>) {
        let engine = match engine {
            Engine::Wasm => "wasm",
            Engine::Native => "native",
        };
        let line = self.0.entry((policy, engine, why.to_owned())).or_insert_with(|| Line {
            policy,
            of: Vec::new(),
            engine,
            why: why.to_owned(),
            microseconds,
        });
        if !line.of.iter().any(|known| known == of) {
            line.of.push(of.to_owned());
        }
    }

    /// Which of [`EDITS`] somebody asks for.
    fn edits(&mut self, of: &str, said: &[bool; 3]) {
        for ((policy, why), _) in EDITS.iter().zip(said).filter(|(_, said)| **said) {
            self.add(policy, of, Engine::Wasm, why, None);
        }
    }

    fn native(&mut self, policy: &'static str, of: &str, said: bool) {
        if said {
            self.add(policy, of, Engine::Native, "Envoy has it", None);
        }
    }
}

/// What Envoy has nothing for, each with what it has instead.
const EDITS: [(&str, &str); 3] = [
    ("headers", "Envoy's formats take the first of repeated values, and anything a parameter hides"),
    ("request-id", "Envoy makes one form of id, and believes all callers or none"),
    ("maintenance", "Envoy's own answers know no times and no secrets"),
];

pub(crate) fn of_proxy(mesh: &CheckedMesh, proxy: Proxy) -> ProxyReport {
    let mut lines = Lines::default();
    let (at, mut filters): (&Situation, Vec<&FilterUse>) = (mesh.situation(proxy), Vec::new());
    filters.extend(&at.filters);
    let calls = match proxy {
        Proxy::Node(id) => {
            let node = mesh.node(id);
            for serve in &node.serves {
                let service = mesh.service(serve.service);
                served(service, &mut lines);
                if let Some(fault) = &serve.fault {
                    fault_of(&fault.said, &service.name.key(), &mut lines);
                }
                filters.extend(&service.filters);
            }
            &node.calls
        }
        Proxy::Gateway(id) => {
            let gateway = mesh.gateway(id);
            let name = gateway.name.key();
            if let Some(auth) = &gateway.basic_auth {
                basic_auth(auth, &name, &mut lines);
            }
            lines.edits(
                &name,
                &[gateway.headers.is_some(), gateway.request_id.is_some(), gateway.maintenance.is_some()],
            );
            lines.native("jwt", &name, gateway.jwt.is_some());
            clients(gateway.api_key.as_ref(), gateway.hmac_signature.is_some(), &name, &mut lines);
            lines.native("external-auth", &name, gateway.external_auth.is_some());
            lines.native("authorization", &name, gateway.authorization.is_some());
            by_address(gateway.ip_access.as_ref(), &name, &mut lines);
            rate_limits(&gateway.rate_limits, &name, &mut lines);
            for host in &gateway.hosts {
                let of_routes = host.routes.iter().flat_map(|route| &route.rate_limits);
                rate_limits(host.rate_limits.iter().chain(of_routes), &host.pattern, &mut lines);
            }
            &gateway.calls
        }
    };
    for call in calls {
        called(mesh, call.service, &mut lines);
    }
    for said in &filters {
        let filter = mesh.wasm_filter(said.filter);
        let why = "a module of the mesh's own: this much at least";
        lines.add("filter", &filter.name.key(), Engine::Wasm, why, Some(NO_OP));
    }
    sum(mesh, proxy, lines, &filters)
}

/// What a service asks of its own sidecar.
fn served(service: &Service, lines: &mut Lines) {
    let name = service.name.key();
    if let Some(auth) = &service.basic_auth {
        basic_auth(auth, &name, lines);
    }
    lines.edits(&name, &[service.headers.is_some(), service.request_id.is_some(), service.maintenance.is_some()]);
    lines.native("jwt", &name, service.jwt.is_some());
    clients(service.api_key.as_ref(), service.hmac_signature.is_some(), &name, lines);
    lines.native("external-auth", &name, service.external_auth.is_some());
    lines.native("authorization", &name, service.authorization.is_some());
    by_address(service.ip_access.as_ref(), &name, lines);
    rate_limits(&service.rate_limits, &name, lines);
    let body = service.inbound.as_ref().is_some_and(|inbound| inbound.max_request_bytes.is_some());
    lines.native("max-request-bytes", &name, body);
}

/// What a service asks of its callers.
fn called(mesh: &CheckedMesh, id: Id<Service>, lines: &mut Lines) {
    let service = mesh.service(id);
    let name = service.name.key();
    for rule in &service.header_routing {
        if compares(rule) == Engine::Wasm {
            lines.add("header-routing", &name, Engine::Wasm, &chosen(Engine::Wasm), Some(HEADER_ROUTING));
        } else if rule.engine == Engine::Native {
            lines.add("header-routing", &name, Engine::Native, &chosen(Engine::Native), None);
        } else {
            lines.add("header-routing", &name, Engine::Native, "only Envoy compares regular expressions", None);
        }
    }
    rate_limits(service.routes.iter().flat_map(|route| &route.rate_limits), &name, lines);
}

fn by_address(said: Option<&IpAccess>, of: &str, lines: &mut Lines) {
    let Some(said) = said else { return };
    let engine = ip_access::engine(said);
    lines.add("ip-access", of, engine, &chosen(engine), None);
}

fn rate_limits<'a>(limits: impl IntoIterator<Item = &'a RateLimit>, of: &str, lines: &mut Lines) {
    for limit in limits {
        let engine = rate_limit::engine(limit);
        let why = match (engine, &limit.engine, rate_limit::needs_wasm(limit)) {
            (Engine::Native, Some(_), _) => "the mesh says so: one count for all workers".to_owned(),
            (Engine::Native, None, _) => "Envoy has it: one count for all workers".to_owned(),
            (Engine::Wasm, _, needs) => {
                let why =
                    needs.map_or_else(|| "the mesh says so".to_owned(), |what| format!("only our filter has `{what}`"));
                let shared = limit.shared.as_ref().is_some_and(|shared| shared.value);
                format!("{why}: {}", if shared { "one count for all workers" } else { "each worker counts for itself" })
            }
        };
        lines.add("rate-limit", of, engine, &why, None);
    }
}

fn basic_auth(auth: &BasicAuth, of: &str, lines: &mut Lines) {
    let cost = if auth.engine == Engine::Wasm { BASIC_AUTH } else { NATIVE_BASIC_AUTH };
    let foreign = auth.users.iter().map(|user| user.hash.format()).find(|format| *format != "{SHA}");
    let needed = match foreign {
        _ if auth.engine == Engine::Native => None,
        Some(format) => Some(format!("only our filter knows {format}")),
        None if !auth.rules.is_empty() => Some("only our filter has rules".to_owned()),
        None if auth.hide => Some("only our filter has `hide`".to_owned()),
        None if auth.preflight => Some("only our filter has `preflight`".to_owned()),
        None => None,
    };
    lines.add("basic-auth", of, auth.engine, &needed.unwrap_or_else(|| chosen(auth.engine)), Some(cost));
}

/// Callers with keys, and callers who sign.
fn clients(keys: Option<&ApiKey>, signatures: bool, of: &str, lines: &mut Lines) {
    if let Some(auth) = keys {
        let why = match (auth.engine(), auth.said_engine, auth.needs_wasm()) {
            (Engine::Native, ..) => "the mesh says so; keys stand in Envoy's configuration as they are".to_owned(),
            (Engine::Wasm, Engine::Native, Some(what)) => format!("only our filter has `{what}`"),
            (Engine::Wasm, ..) => "Envoy's own would have the keys themselves, ours has their hashes".to_owned(),
        };
        lines.add("api-key", of, auth.engine(), &why, None);
    }
    if signatures {
        lines.add("hmac-signature", of, Engine::Wasm, "Envoy has none", None);
    }
}

fn fault_of(fault: &Fault, of: &str, lines: &mut Lines) {
    let (engine, needs) = (fault_engine::engine(fault), fault_engine::only_native(fault));
    let why = needs.map_or_else(|| chosen(engine), |(what, _)| format!("only Envoy's filter has `{what}`"));
    let delays = fault.delay.is_some() || fault.header_control.is_some();
    if delays || fault.abort.is_some() || fault.grpc_abort.is_some() || engine == Engine::Native {
        lines.add("fault", of, engine, &why, (engine == Engine::Wasm).then_some(FAULT));
    }
    if engine == Engine::Wasm && fault.response_rate_limit.is_some() {
        lines.add(
            "fault",
            of,
            Engine::Native,
            "a wasm filter cannot let a part of a body go: `response-rate-limit`",
            None,
        );
    }
}

fn chosen(engine: Engine) -> String {
    match engine {
        Engine::Wasm => "nothing else is said",
        Engine::Native => "the mesh says so",
    }
    .to_owned()
}

fn sum(mesh: &CheckedMesh, proxy: Proxy, lines: Lines, filters: &[&FilterUse]) -> ProxyReport {
    let policies: Vec<Line> = lines.0.into_values().collect();
    // Each filter stands in the chain once, whoever asks for it; a user's filters are several.
    let microseconds = policies
        .iter()
        .filter_map(|line| {
            let times = if line.policy == "filter" { line.of.len() } else { 1 };
            Some(line.microseconds? * times as f64)
        })
        // The empty `sum` of floating-point numbers is -0.
        .fold(0.0, |sum, cost| sum + cost);
    let ours = policies.iter().any(|line| line.engine == "wasm" && line.policy != "filter");
    let mut modules: Vec<&str> = filters.iter().map(|said| mesh.wasm_filter(said.filter).module.sha256()).collect();
    modules.sort_unstable();
    modules.dedup();
    let modules = modules.len() + usize::from(ours);
    let megabytes = match modules.checked_sub(1) {
        Some(further) => FIRST_MODULE_MEGABYTES + further as f64 * FURTHER_MODULE_MEGABYTES,
        None => 0.0,
    };
    ProxyReport { proxy: mesh.proxy_name(proxy).to_string(), policies, microseconds, megabytes }
}
