//! Adds what runs to a mesh: endpoints, the services that tasks say they are, and the nodes of their sidecars.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use spec::diagnostic::quote;
use spec::mesh::{Address, EcsDiscovery, Endpoint, Entry, Mesh, Service};
use spec::{Code, Diagnostics, Name, Span, Spanned, codes};

use super::Options;
use super::homes::{Home, Homes};
use super::nodes::{self, Layout, Nodes};
use super::owners::{Right, right};
use super::places::{self, Unclear};
use super::quarantine::LeftOut;
use super::standing::{Standing, Standings};
use super::told::Told;
use super::words::{self, Calls, Claim, Words};
use super::world::RunningTask;
use crate::annotation;
use crate::lower::INGRESS_PORT;
use crate::observation::NetworkMode;
use crate::observation::text::Located;

/// A mesh with what runs, before it is checked.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) mesh: Mesh,
    pub(crate) aliases: BTreeMap<String, String>,
    pub(crate) findings: BTreeSet<Finding>,
    /// Services, by key, of which nobody but bent's labels speaks: they have its defaults.
    pub(crate) of_bent: BTreeSet<String>,
    /// Where the records of task definitions begin whom the mesh itself lets speak.
    pub(crate) trusted: BTreeSet<u32>,
}

/// What is left out of a mesh, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    /// The task definition or the task, or the service.
    pub(crate) who: String,
    /// One line.
    pub(crate) reason: String,
    pub(crate) span: Span,
}

/// A service that a task is, and where.
struct Served<'w> {
    service: Spanned<Name>,
    container: String,
    port: u16,
    claim: Option<&'w Claim>,
}

/// All that is said of one service, whoever says it.
#[derive(Default)]
struct Gathered<'w> {
    endpoints: Vec<Endpoint>,
    /// Whoever comes first speaks for the service.
    claims: BTreeMap<Turn<'w>, &'w Claim>,
}

/// Who speaks for a service: an owner, then the family that has been it for longest, and of that the newest revision that
/// may get requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn<'w> {
    right: Right,
    standing: Option<Standing>,
    family: &'w str,
    is_absent: bool,
    revision: Reverse<u32>,
    /// Of a task that is not like the others of its definition.
    arn: &'w str,
}

/// A task, and what it serves.
struct Part<'w> {
    told: &'w Told<'w>,
    words: &'w Words,
    home: Home,
    served: Vec<Served<'w>>,
}

/// What is read while a mesh is put together.
struct Reading<'w> {
    spec: &'w Mesh,
    usual_cluster: &'w str,
    standings: &'w Standings<'w>,
    services: BTreeMap<String, &'w Service>,
    /// Services whose tasks the mesh names, by family and by ECS service.
    by_family: BTreeMap<&'w str, Vec<&'w Service>>,
    by_ecs_service: BTreeMap<&'w str, Vec<&'w Service>>,
    homes: Homes<'w>,
    gathered: BTreeMap<String, Gathered<'w>>,
    findings: BTreeSet<Finding>,
    trusted: BTreeSet<u32>,
}

/// The mesh as it is written, with what runs. Words of those who are left out are as if they were not said.
pub(crate) fn assemble<'w>(
    spec: &'w Mesh,
    told: &'w [Told<'w>],
    standings: &'w Standings<'w>,
    silence: &'w Words,
    observed: &Located,
    options: &Options,
    left_out: &LeftOut,
) -> Draft {
    let heard = |told: &'w Told<'w>| match left_out.has(told.task.definition_span) || left_out.has(told.task.span) {
        true => silence,
        false => &*told.words,
    };
    let there = told.iter().filter(|it| !left_out.is_gone(it.task.definition_span) && !left_out.is_gone(it.task.span));
    let told: Vec<(&Told<'_>, &Words)> = there.map(|told| (told, heard(told))).collect();
    let mut reading = Reading::of(spec, standings, Homes::of(spec, &told));
    let mut parts: Vec<Part<'_>> = told.into_iter().map(|(told, words)| reading.part(told, words)).collect();
    // Those of the mesh's nodes have the first choice of names.
    parts.sort_by_key(|part| !matches!(part.home, Home::Mesh(_)));
    let layout = |part: &Part<'_>| -> Layout {
        part.served.iter().map(|served| (served.service.value.key(), served.port)).collect()
    };
    let mut nodes = Nodes::of(spec, parts.iter().map(|part| (part.home, part.told.task, layout(part))));
    for part in parts {
        reading.place(part, &mut nodes, observed, options);
    }
    let Reading { homes, gathered, mut findings, trusted, .. } = reading;
    let mut mesh = spec.clone();
    let open = spec.services.iter().filter(|service| is_open(service)).map(|service| service.name.value.key());
    let open: BTreeSet<String> = open.collect();
    let of_bent = write_services(&mut mesh, gathered, &nodes, &mut findings);
    for service in &mut mesh.services {
        if open.contains(&service.name.value.key()) {
            leave_to_tasks(service, &homes);
        }
        let Some(cloud_map) = &service.cloud_map else { continue };
        let node = homes.only(&service.name.value.key()).and_then(|index| spec.nodes.get(index)).map(|it| &it.name);
        for mut endpoint in places::instances(cloud_map, observed, options, left_out) {
            endpoint.node = node.cloned();
            service.endpoints.push(endpoint);
        }
    }
    let aliases = nodes.write(&mut mesh);
    Draft { mesh, aliases, findings, of_bent, trusted }
}

impl<'w> Reading<'w> {
    fn of(spec: &'w Mesh, standings: &'w Standings<'w>, homes: Homes<'w>) -> Self {
        let mut reading = Self {
            spec,
            standings,
            usual_cluster: places::usual_cluster(spec.ecs.as_ref()),
            services: spec.services.iter().map(|service| (service.name.value.key(), service)).collect(),
            by_family: BTreeMap::new(),
            by_ecs_service: BTreeMap::new(),
            homes,
            gathered: BTreeMap::new(),
            findings: BTreeSet::new(),
            trusted: BTreeSet::new(),
        };
        for service in &spec.services {
            let Some(ecs) = &service.ecs else { continue };
            match (&ecs.family, &ecs.service) {
                (Some(family), _) => reading.by_family.entry(&family.value).or_default().push(service),
                (None, Some(name)) => {
                    reading.by_ecs_service.entry(crate::observation::last(&name.value)).or_default().push(service);
                }
                (None, None) => {}
            }
        }
        reading
    }

    /// What a task serves: what it says, what the mesh says of it, and what its node is there for.
    fn part(&mut self, told: &'w Told<'w>, words: &'w Words) -> Part<'w> {
        let mut served = Vec::new();
        for claim in &words.claims {
            self.claim(told, claim, &mut served);
        }
        self.meant(told, &mut served);
        let said = self.homes.said(told.task, words).into_iter().find(|home| self.lets_in(told, *home));
        if let Some(Home::Mesh(index)) = said
            && let Some(node) = self.spec.nodes.get(index)
        {
            self.by_node(told, node, &mut served);
        }
        let home = said.or_else(|| {
            let keys = served.iter().map(|it: &Served<'_>| it.service.value.key());
            let nodes: Vec<usize> = keys.filter_map(|key| self.homes.only(&key)).collect();
            nodes.into_iter().map(Home::Mesh).find(|home| self.lets_in(told, *home))
        });
        let home = home.or_else(|| self.homes.gateway(told.task));
        let home = home.unwrap_or_else(|| self.homes.settle(told.task, words, !served.is_empty()));
        Part { told, words, home, served }
    }

    /// A node speaks for the services that it serves: none but their owners belong to it.
    fn lets_in(&mut self, told: &'w Told<'w>, home: Home) -> bool {
        let Home::Mesh(index) = home else { return true };
        let Some(name) = self.homes.denied(index, told.task) else { return true };
        let reason = format!("`{name}` is not its to serve: the mesh names other owners");
        self.report(codes::NOT_THE_OWNER, told, reason);
        false
    }

    fn claim(&mut self, told: &'w Told<'w>, claim: &'w Claim, served: &mut Vec<Served<'w>>) {
        let (task, name) = (told.task, &claim.service.value);
        let right = right(self.spec.ecs.as_ref(), name, task);
        if right == Right::Denied {
            let reason = format!("`{name}` is not its to claim: the mesh names other owners");
            return self.report(codes::NOT_THE_OWNER, told, reason);
        }
        if let Some(service) = self.services.get(&name.key()).filter(|service| !is_open(service)) {
            // Its own labels may say what the mesh says, too: users come from there.
            if !service.ecs.as_ref().is_some_and(|ecs| places::is_meant(ecs, self.usual_cluster, task)) {
                let reason = format!("`{name}` is not its to claim: the mesh itself says where it runs");
                self.report(codes::NOT_THE_OWNER, told, reason);
            }
            return;
        }
        if right == Right::Owns {
            self.trusted.insert(task.definition_span.start);
        }
        let arn = if told.is_special { task.task.arn.as_str() } else { "" };
        let family = task.definition.family.as_str();
        let standing = self.standings.of_service(&name.key(), family);
        // Until a revision is healthy, the one that answers speaks.
        let (is_absent, revision) = (!told.is_routable, Reverse(task.definition.revision));
        let turn = Turn { right, standing, family, is_absent, revision, arn };
        self.gathered.entry(name.key()).or_default().claims.insert(turn, claim);
        for (container, port) in &claim.listens {
            let (service, container) = (claim.service.clone(), container.clone());
            served.push(Served { service, container, port: *port, claim: Some(claim) });
        }
    }

    /// Services whose tasks the mesh names.
    fn meant(&mut self, told: &'w Told<'w>, served: &mut Vec<Served<'w>>) {
        let task = told.task;
        let by_family = self.by_family.get(task.definition.family.as_str()).into_iter().flatten();
        let by_service = task.task.service().and_then(|name| self.by_ecs_service.get(name)).into_iter().flatten();
        let meant: Vec<&Service> = by_family.chain(by_service).copied().collect();
        for service in meant {
            let Some(ecs) = service.ecs.as_deref().filter(|ecs| places::is_meant(ecs, self.usual_cluster, task)) else {
                continue;
            };
            self.trusted.insert(task.definition_span.start);
            let container = ecs.container.as_ref().map(|container| container.value.as_str());
            let port = ecs.port.as_ref().map(|port| port.value);
            self.listens(told, &service.name, container, port, served);
        }
    }

    /// Services of its node of which nobody says where they run.
    fn by_node(&mut self, told: &'w Told<'w>, node: &'w spec::mesh::Node, served: &mut Vec<Served<'w>>) {
        for serve in &node.serves {
            let key = serve.service.value.key();
            let is_open = self.services.get(&key).is_some_and(|service| is_open(service));
            if !is_open || served.iter().any(|it| it.service.value.key() == key) {
                continue;
            }
            let said = serve.upstreams.first().map(|upstream| upstream.address.value.port);
            self.listens(told, &serve.service, None, said, served);
        }
    }

    fn listens(
        &mut self,
        told: &'w Told<'w>,
        service: &Spanned<Name>,
        container: Option<&str>,
        port: Option<u16>,
        served: &mut Vec<Served<'w>>,
    ) {
        let found = places::listens(container, port, told.task.definition);
        let name = &service.value;
        let reason = match found {
            Ok((container, port)) => {
                return served.push(Served { service: service.clone(), container, port, claim: None });
            }
            Err(Unclear::Several) => format!("several of its ports could be that of `{name}`"),
            Err(Unclear::None) => format!("none of its ports could be that of `{name}`"),
        };
        self.report(codes::AMBIGUOUS_TASK, told, reason);
    }

    /// Writes the endpoints of a task, and its part of its node.
    fn place(&mut self, part: Part<'w>, nodes: &mut Nodes<'w>, observed: &Located, options: &Options) {
        let Part { told, words, home, served } = part;
        let task = told.task;
        let is_alone = options.tasks_here
            || (task.definition.network_mode == NetworkMode::Bridge && !served.is_empty())
            || (home == Home::Own && told.is_special && words.calls.is_some());
        let node = nodes.enter(home, task, is_alone, told.is_routable, options).unwrap_or_else(|reason| {
            self.report(codes::QUARANTINED_TASK, told, reason);
            None
        });
        if let Some(node) = &node {
            let of_bent = words.of_bent || (self.homes.has_bents(task) && words.claims.is_empty());
            let usual = of_bent.then_some(Calls::All(task.definition_span));
            if let (Home::Mesh(_), Some(_)) = (home, &words.calls) {
                let reason = "`meshwright.calls` is left out: its node in the mesh says what it calls".to_owned();
                self.report(codes::QUARANTINED_TASK, told, reason);
            }
            words.calls.clone().or(usual).into_iter().for_each(|calls| nodes.call(node, calls));
        }
        for it in served {
            let ways = match ways(told, &it, node.is_some(), options) {
                Ok(ways) => ways,
                Err(reason) => {
                    // Of a task that starts, not all is known yet.
                    if told.is_routable {
                        self.report(codes::UNREACHABLE_TASK, told, reason);
                    }
                    continue;
                }
            };
            if let Some(node) = &node {
                let upstream = nodes::upstream(task, it.port, ways.at, options);
                nodes.serve(node, &it.service, upstream, task.definition_span);
            }
            if told.is_routable {
                let endpoint = endpoint(told, words, &it, ways, node.as_ref(), &observed.region);
                match endpoint {
                    Ok(endpoint) => {
                        self.gathered.entry(it.service.value.key()).or_default().endpoints.push(endpoint);
                    }
                    Err(reason) => self.report(codes::QUARANTINED_TASK, told, reason),
                }
            }
        }
    }

    fn report(&mut self, code: Code, told: &Told<'_>, reason: String) {
        let (who, span) = who(told);
        self.findings.insert(Finding { code, who, reason, span });
    }
}

/// Ports at the address of a task: the application's, and its sidecar's.
#[derive(Clone, Copy)]
struct Ways {
    at: u16,
    ingress: Option<u16>,
}

fn ways(told: &Told<'_>, it: &Served<'_>, has_node: bool, options: &Options) -> Result<Ways, String> {
    let task = told.task;
    let at = task.reached(&it.container, it.port).ok_or_else(|| {
        let (port, container) = (it.port, quote(&it.container));
        match task.has_own_ports() {
            true if task.has_lost(port) => format!("a newer task has port {port} of its host"),
            true => format!("its container `{container}` does not run"),
            false => format!("port {port} of its container `{container}` is not mapped to its host"),
        }
    })?;
    let ingress = match (has_node, task.sidecar_said()) {
        (false, _) => None,
        // Callers dial the application of a task without a sidecar, though others of the service have one.
        (true, Some(false)) => Some(at),
        // There an Envoy binds to the address of its task.
        (true, _) if options.tasks_here => Some(INGRESS_PORT),
        (true, _) => Some(
            task.ingress_port()
                .ok_or_else(|| format!("port {INGRESS_PORT} of its sidecar is not mapped to its host"))?,
        ),
    };
    Ok(Ways { at, ingress })
}

fn endpoint(
    told: &Told<'_>,
    words: &Words,
    it: &Served<'_>,
    ways: Ways,
    node: Option<&Name>,
    region: &str,
) -> Result<Endpoint, String> {
    let RunningTask { task, span, address, .. } = *told.task;
    let mut endpoint = Endpoint::at(Spanned::new(Address { host: address, port: ways.at }, span));
    let weight = it.claim.map_or(Ok(None), Claim::weight)?;
    endpoint.weight = weight.or(words.weight);
    endpoint.node = node.map(|node| Spanned::new(node.clone(), span));
    endpoint.ingress_port = ways.ingress.filter(|port| *port != INGRESS_PORT).map(|port| Spanned::new(port, span));
    endpoint.zone = task.availability_zone.as_deref().and_then(places::place).map(|zone| Spanned::new(zone, span));
    let region = places::place(region).filter(|_| endpoint.zone.is_some());
    endpoint.region = region.map(|region| Spanned::new(region, span));
    endpoint.annotations = it.claim.map_or(Vec::new(), |claim| claim.of_endpoint().collect());
    Ok(endpoint)
}

/// Whom a finding is about: the task where its own tags speak, else its definition.
fn who(told: &Told<'_>) -> (String, Span) {
    match told.is_special {
        true => (told.task.task.arn.clone(), told.task.span),
        false => (told.task.definition.name(), told.task.definition_span),
    }
}

/// The services of the mesh with what was gathered, and those that only tasks know. Returns those that bent's labels
/// alone speak of.
fn write_services(
    mesh: &mut Mesh,
    gathered: BTreeMap<String, Gathered<'_>>,
    nodes: &Nodes<'_>,
    findings: &mut BTreeSet<Finding>,
) -> BTreeSet<String> {
    let known: BTreeMap<String, usize> =
        mesh.services.iter().enumerate().map(|(index, service)| (service.name.value.key(), index)).collect();
    let mut of_bent = BTreeSet::new();
    for (key, Gathered { mut endpoints, claims }) in gathered {
        endpoints.sort_by(|one, other| {
            let order = |it: &Endpoint| (it.address.value.clone(), it.ingress_port.map(|port| port.value));
            order(one).cmp(&order(other))
        });
        endpoints
            .dedup_by(|one, other| one.address.value == other.address.value && one.ingress_port == other.ingress_port);
        if let Some(node) = nodes.serving(&key) {
            dial_themselves(&mut endpoints, node);
        }
        contested(&key, &claims, findings);
        let speaker = claims.iter().next();
        let settings: Vec<Entry> = speaker.map_or(Vec::new(), |(_, claim)| claim.of_service().collect());
        match known.get(&key).and_then(|index| mesh.services.get_mut(*index)) {
            Some(service) => {
                service.endpoints.extend(endpoints);
                let is_owner = speaker.is_some_and(|(turn, _)| turn.right == Right::Owns);
                for setting in settings {
                    let why = if !is_owner && !words::is_harmless(&setting.key.value) {
                        "is for the mesh to say, or for an `owner` that it names"
                    } else if !agrees(service, &setting) {
                        // What the mesh says holds.
                        "of its tasks is left out: the mesh says otherwise"
                    } else {
                        service.annotations.push(setting);
                        continue;
                    };
                    let reason = format!("`{}` {why}", quote(&setting.key.value));
                    let (code, who) = (codes::QUARANTINED_TASK, service.name.value.to_string());
                    findings.insert(Finding { code, who, reason, span: setting.key.span });
                }
            }
            None => {
                let Some((Turn { family, .. }, claim)) = speaker else { continue };
                let span = claim.service.span;
                let mut service = Service::named(claim.service.clone());
                service.endpoints = endpoints;
                service.annotations = settings;
                service.ecs = Some(Box::new(by_family(family, span)));
                if claims.values().all(|claim| claim.of_bent) {
                    of_bent.insert(key);
                }
                mesh.services.push(service);
            }
        }
    }
    of_bent
}

/// Whether a setting says nothing else than a field of the service.
fn agrees(service: &Service, setting: &Entry) -> bool {
    let mut alone = Service { endpoints: Vec::new(), ..service.clone() };
    alone.annotations.push(setting.clone());
    let mut mesh = Mesh { services: vec![alone], ..Mesh::named(service.name.clone()) };
    let mut found = Diagnostics::new();
    annotation::apply(&mut mesh, &mut found);
    !found.iter().any(|it| it.code == codes::CONFLICTING_ANNOTATION)
}

/// Where some tasks of a service have a sidecar and others none, each is dialled at its own port.
pub(crate) fn dial_alike(endpoints: &mut [Endpoint]) {
    let Some(node) = endpoints.iter().find_map(|endpoint| endpoint.node.clone()) else { return };
    dial_themselves(endpoints, &node.value);
}

/// Nobody else may be taken for the sidecar of a task that has none, only because he serves the service, too, or will: the
/// application itself is dialled.
fn dial_themselves(endpoints: &mut [Endpoint], node: &Name) {
    for endpoint in endpoints.iter_mut().filter(|endpoint| endpoint.node.is_none()) {
        endpoint.node = Some(Spanned::new(node.clone(), endpoint.address.span));
        endpoint.ingress_port = Some(Spanned::new(endpoint.address.value.port, endpoint.address.span));
    }
}

fn contested(key: &str, claims: &BTreeMap<Turn<'_>, &Claim>, findings: &mut BTreeSet<Finding>) {
    let mut families: Vec<(&str, Span)> = Vec::new();
    for (Turn { right, family, .. }, claim) in claims {
        if *right == Right::Free && !families.iter().any(|(known, _)| known == family) {
            families.push((family, claim.service.span));
        }
    }
    if let [(first, _), (_, span), ..] = families.as_slice() {
        let others: Vec<String> = families.iter().skip(1).map(|(family, _)| format!("`{family}`")).collect();
        let reason = format!("`{first}` and {} claim it: settings are those of `{first}`", others.join(" and "));
        findings.insert(Finding { code: codes::CONTESTED_SERVICE, who: key.to_owned(), reason, span: *span });
    }
}

/// That nobody runs it now is no mistake of the mesh.
fn leave_to_tasks(service: &mut Service, homes: &Homes<'_>) {
    let is_served = homes.is_served(&service.name.value.key());
    if service.routes.is_empty() || is_served || !service.endpoints.is_empty() {
        service.ecs = Some(Box::new(by_family(service.name.value.as_str(), service.name.span)));
    }
}

/// What makes it a service whose endpoints come and go.
pub(crate) fn by_family(family: &str, span: Span) -> EcsDiscovery {
    EcsDiscovery {
        cluster: None,
        service: None,
        family: Some(Spanned::new(family.to_owned(), span)),
        container: None,
        port: None,
        place: spec::mesh::Place(Some(span)),
    }
}

/// Nobody says where it runs.
fn is_open(service: &Service) -> bool {
    let Service { endpoints, dns, ecs, cloud_map, .. } = service;
    endpoints.is_empty() && dns.is_none() && ecs.is_none() && cloud_map.is_none()
}
