//! The two ends of a connection agree on encryption.
//!
//! Only where a node of the mesh serves: elsewhere nobody knows what is accepted. `permissive` takes both, and agrees
//! with everything.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{Call, Callee, ClientTls, Gateway, HeaderRouting, Route, ServerTls, Service, TlsMode};
use spec::{Diagnostic, Diagnostics, Mesh, Name, Span, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    if !says_tls(mesh) {
        return;
    }
    let served: Vec<bool> =
        mesh.services.iter().map(|service| !tables.serving(mesh, &service.name.value).is_empty()).collect();
    let mut calls = Calls { mesh, tables, shared: BTreeMap::new(), everything: Vec::new(), own: Vec::new() };
    for node in &mesh.nodes {
        calls.add(&node.calls, &[]);
    }
    for gateway in &mesh.gateways {
        calls.add(&gateway.calls, &entered(gateway));
    }
    let is_served = |index: &usize| served.get(*index).is_some_and(|served| *served);
    calls.tell_own(is_served, diagnostics);
    calls.tell_shared(is_served, diagnostics);
}

/// Where nobody says anything of encryption, everybody agrees.
fn says_tls(mesh: &Mesh) -> bool {
    let calls = mesh.nodes.iter().map(|node| &node.calls).chain(mesh.gateways.iter().map(|gateway| &gateway.calls));
    mesh.defaults.tls.is_some()
        || mesh.defaults.client_tls.is_some()
        || mesh.services.iter().any(|service| service.tls.is_some() || service.client_tls.is_some())
        || calls.flatten().any(|call| call.client_tls.is_some())
}

/// How the two ends disagree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mismatch {
    /// Encryption is required, and the caller does not encrypt.
    Plain,
    /// A certificate is required, and the caller has none.
    Nameless,
    /// The caller encrypts, and the service does not.
    Encrypted,
}

fn mismatch(server: Option<&ServerTls>, client: Option<&ClientTls>) -> Option<Mismatch> {
    let accepts = server.map_or(TlsMode::Disabled, |tls| tls.mode.as_ref().map_or(TlsMode::Strict, |mode| mode.value));
    match (accepts, sends(client)) {
        (TlsMode::Strict, TlsMode::Disabled) => Some(Mismatch::Plain),
        (TlsMode::Strict, TlsMode::Strict) => {
            let asks = server.is_some_and(|tls| tls.client.is_some());
            let shows = client.is_some_and(|tls| tls.certificate.is_some());
            (asks && !shows).then_some(Mismatch::Nameless)
        }
        // What is said for some ports may be said for others than the service's.
        (TlsMode::Disabled, TlsMode::Strict) => {
            client.is_some_and(|tls| tls.ports.is_empty()).then_some(Mismatch::Encrypted)
        }
        _ => None,
    }
}

fn sends(client: Option<&ClientTls>) -> TlsMode {
    client.map_or(TlsMode::Disabled, |tls| tls.mode.as_ref().map_or(TlsMode::Strict, |mode| mode.value))
}

/// Who calls what, by the index of the service.
struct Calls<'a> {
    mesh: &'a Mesh,
    tables: &'a Tables,
    /// A caller of each service that is called as the service or `defaults` say.
    shared: BTreeMap<usize, Span>,
    /// Callers of every service as it or `defaults` say, but for these.
    everything: Vec<(Span, BTreeSet<usize>)>,
    own: Vec<Own<'a>>,
}

/// A call that says itself how it is made.
struct Own<'a> {
    call: &'a Call,
    tls: &'a ClientTls,
    /// `None`: every service but those in `listed`.
    service: Option<usize>,
    listed: BTreeSet<usize>,
}

impl<'a> Calls<'a> {
    /// What one sidecar or gateway calls; `entered` are the services to which the hosts of a gateway lead.
    fn add(&mut self, calls: &'a [Call], entered: &[(&'a Name, Span)]) {
        let index = |name: &Name| self.tables.find_service(name).map(|id| id.index());
        let (mut listed, mut own) = (BTreeMap::new(), BTreeSet::new());
        let mut all = None;
        for call in calls {
            match &call.service.value {
                Callee::All => all = Some(call),
                Callee::Service(name) => {
                    let Some(service) = index(name) else { continue };
                    listed.insert(service, call);
                    if call.client_tls.is_some() {
                        own.insert(service);
                    }
                }
            }
        }
        let mut reached: Vec<(usize, Span)> = listed.iter().map(|(at, call)| (*at, call.service.span)).collect();
        for (service, call) in &listed {
            let targets = self.mesh.services.get(*service).into_iter().flat_map(leads_to);
            reached.extend(targets.filter_map(index).map(|target| (target, call.service.span)));
        }
        reached.extend(entered.iter().filter_map(|(name, span)| Some((index(name)?, *span))));
        // A call of everything that says how holds for whatever is not listed.
        let own_for_all = all.filter(|call| call.client_tls.is_some());
        reached.retain(|(at, _)| !own.contains(at) && (own_for_all.is_none() || listed.contains_key(at)));
        for (service, caller) in reached {
            self.shared.entry(service).or_insert(caller);
        }
        for (service, call) in &listed {
            let Some(tls) = &call.client_tls else { continue };
            self.own.push(Own { call, tls, service: Some(*service), listed: BTreeSet::new() });
        }
        let Some(call) = all else { return };
        match &call.client_tls {
            Some(tls) => self.own.push(Own { call, tls, service: None, listed: listed.into_keys().collect() }),
            None => self.everything.push((call.service.span, own)),
        }
    }

    fn tell_own(&self, served: impl Fn(&usize) -> bool, diagnostics: &mut Diagnostics) {
        let mut known = BTreeMap::new();
        for Own { call, tls, service, listed } in &self.own {
            let wrong = match service {
                Some(service) => Some(*service).filter(|at| served(at) && self.disagrees(*at, tls)),
                None => {
                    // Among thousands of callers few say something else than the others.
                    let kind = (sends(Some(tls)), tls.certificate.is_some(), tls.ports.is_empty());
                    let all = known.entry(kind).or_insert_with(|| {
                        let all = 0..self.mesh.services.len();
                        all.filter(|at| served(at) && self.disagrees(*at, tls)).collect::<Vec<_>>()
                    });
                    all.iter().copied().find(|at| !listed.contains(at))
                }
            };
            let Some(service) = wrong.and_then(|at| self.mesh.services.get(at)) else { continue };
            let server = server(self.mesh, service);
            let Some(kind) = mismatch(server, Some(tls)) else { continue };
            let place = client_place(tls, call.service.span);
            let accepts = server.map_or(service.name.span, |tls| server_place(tls, kind, service.name.span));
            let found = Diagnostic::of(codes::TLS_MISMATCH, place, message(kind, service)).label(sent(kind));
            diagnostics.push(found.related(accepts, accepted(kind)).help(help(kind)));
        }
    }

    fn disagrees(&self, service: usize, client: &ClientTls) -> bool {
        let service = self.mesh.services.get(service);
        service.is_some_and(|service| mismatch(server(self.mesh, service), Some(client)).is_some())
    }

    /// What `defaults` say holds for many services, and is told once.
    fn tell_shared(&self, served: impl Fn(&usize) -> bool, diagnostics: &mut Diagnostics) {
        let (defaults, mut reported) = (&self.mesh.defaults, BTreeSet::new());
        for (index, service) in self.mesh.services.iter().enumerate().filter(|(index, _)| served(index)) {
            let everyone = || self.everything.iter().find(|(_, but)| !but.contains(&index)).map(|(span, _)| *span);
            let Some(caller) = self.shared.get(&index).copied().or_else(everyone) else { continue };
            let (server, name) = (server(self.mesh, service), service.name.span);
            let client = service.client_tls.as_deref().or(defaults.client_tls.as_ref());
            let Some(kind) = mismatch(server, client) else { continue };

            let holder = |own: bool| if own { name } else { self.mesh.name.span };
            let accepts = server.map(|tls| server_place(tls, kind, holder(service.tls.is_some())));
            let sends = client.map(|tls| client_place(tls, holder(service.client_tls.is_some())));
            let by_defaults = service.tls.is_none() && service.client_tls.is_none();
            if by_defaults && !reported.insert((kind, accepts, sends)) {
                continue;
            }
            let mut places = vec![(accepts.unwrap_or(name), accepted(kind))];
            match sends {
                // Nothing but `defaults` says anything.
                Some(sends) if by_defaults && accepts.is_none() => places.insert(0, (sends, sent(kind))),
                Some(sends) => places.push((sends, sent(kind))),
                None => {}
            }
            if service.tls.is_none() && accepts.is_some() {
                places.push((name, "the service"));
            }
            places.push((caller, "a caller"));
            let mut places = places.into_iter();
            let Some((first, label)) = places.next() else { continue };
            let found = Diagnostic::of(codes::TLS_MISMATCH, first, message(kind, service)).label(label);
            let found = places.fold(found, |found, (place, label)| found.related(place, label));
            diagnostics.push(found.help(help(kind)));
        }
    }
}

fn server<'a>(mesh: &'a Mesh, service: &'a Service) -> Option<&'a ServerTls> {
    service.tls.as_deref().or(mesh.defaults.tls.as_ref())
}

/// Where a caller's sidecar sends requests for a service, beside the service itself.
fn leads_to(service: &Service) -> impl Iterator<Item = &Name> {
    let of_routes = service.routes.iter().flat_map(Route::targets).map(|target| &target.service);
    let by_rule = service.header_routing.iter().flat_map(HeaderRouting::targets);
    let failover = service.failover.iter().map(|failover| &failover.service);
    let copies = service.mirrors.iter().chain(service.routes.iter().flat_map(|route| &route.mirrors));
    of_routes.chain(by_rule).chain(failover).chain(copies.map(|mirror| &mirror.to)).map(|name| &name.value)
}

fn entered(gateway: &Gateway) -> Vec<(&Name, Span)> {
    let routes = gateway.hosts.iter().flat_map(|host| &host.routes);
    let hosts = gateway.hosts.iter().flat_map(|host| &host.targets);
    let listeners = gateway.listen.iter().flat_map(|listener| &listener.targets);
    let targets = routes.clone().flat_map(Route::targets).chain(hosts).chain(listeners).map(|target| &target.service);
    let copies = routes.flat_map(|route| &route.mirrors).map(|mirror| &mirror.to);
    targets.chain(copies).map(|name| (&name.value, name.span)).collect()
}

fn server_place(tls: &ServerTls, kind: Mismatch, holder: Span) -> Span {
    let asks = tls.client.as_ref().and_then(|client| client.place.0).filter(|_| kind == Mismatch::Nameless);
    asks.or(tls.place.0).or(tls.mode.as_ref().map(|mode| mode.span)).unwrap_or(holder)
}

fn client_place(tls: &ClientTls, holder: Span) -> Span {
    tls.place.0.or(tls.mode.as_ref().map(|mode| mode.span)).unwrap_or(holder)
}

fn message(kind: Mismatch, service: &Service) -> String {
    let name = &service.name.value;
    match kind {
        Mismatch::Plain => format!("`{name}` accepts only encrypted connections, and is called without encryption"),
        Mismatch::Nameless => format!("`{name}` asks its callers for a certificate, and they show none"),
        Mismatch::Encrypted => format!("`{name}` is called with encryption, and accepts none"),
    }
}

fn accepted(kind: Mismatch) -> &'static str {
    match kind {
        Mismatch::Plain => "only encrypted connections are accepted",
        Mismatch::Nameless => "callers must show a certificate",
        Mismatch::Encrypted => "connections are accepted without encryption",
    }
}

fn sent(kind: Mismatch) -> &'static str {
    match kind {
        Mismatch::Plain => "callers do not encrypt",
        Mismatch::Nameless => "callers have no `certificate`",
        Mismatch::Encrypted => "callers encrypt",
    }
}

fn help(kind: Mismatch) -> &'static str {
    match kind {
        Mismatch::Plain => "say `client-tls` with `server`, or `tls mode=\"permissive\"` until every caller encrypts",
        Mismatch::Nameless => "add `certificate` to `client-tls`",
        Mismatch::Encrypted => "say `tls` with a `certificate`, or `client-tls mode=\"disabled\"`",
    }
}
