//! Whatever happens in whatever order: no route leads to nothing, nothing is said twice, and in the end the client has the
//! newest view.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use meshwright_control_plane::{Event, Outgoing, Request, Step, Stream, Variant, View};
use proptest::prelude::*;

use crate::model::{BAD, Envoy, Grpc};
use crate::world::{self, Response};

const CLUSTERS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// How much time passes in one case at most: less than anything is waited for.
const TIME: Duration = Duration::from_millis(1900);

/// One thing that happens.
#[derive(Clone, Debug)]
enum Turn {
    /// The mesh changes.
    Change(Mesh),
    /// The server reads a request.
    Serve,
    /// The client reads a response.
    Listen,
    Time,
    /// The stream breaks, and the client comes back to a replica.
    Break,
}

/// A mesh whose routes lead to its own clusters.
#[derive(Clone, Debug)]
struct Mesh {
    /// By name: the content of the cluster and of its endpoints.
    clusters: BTreeMap<&'static str, (String, String)>,
    listener: u8,
    /// Which of two routes the listener uses.
    second: bool,
    routes: String,
}

impl Mesh {
    /// With clusters that are gone, but not forgotten.
    fn view(&self, gone: &BTreeMap<&'static str, (String, String)>) -> Arc<View> {
        let clusters: BTreeMap<_, _> = gone.iter().chain(&self.clusters).collect();
        let resources = clusters.into_iter().flat_map(|(name, (cluster, endpoints))| {
            [
                (ResourceKind::Cluster, *name, cluster.clone(), ""),
                (ResourceKind::Endpoints, *name, endpoints.clone(), ""),
            ]
        });
        let route = if self.second { "s" } else { "r" };
        let rest = [
            (ResourceKind::Listener, "in", format!("{}:{route}", self.listener), route),
            (ResourceKind::Routes, route, self.routes.clone(), ""),
        ];
        let served = resources.chain(rest);
        Arc::new(View::new(
            served.map(|(kind, name, content, route)| (kind, world::served(kind, name, &content, route))),
        ))
    }

    fn expected(&self, gone: &BTreeMap<&'static str, (String, String)>) -> Vec<BTreeMap<String, String>> {
        let clusters: BTreeMap<_, _> = gone.iter().chain(&self.clusters).collect();
        let route = if self.second { "s" } else { "r" };
        let of = |content: fn(&(String, String)) -> &String| {
            clusters.iter().map(|(name, contents)| ((**name).to_owned(), content(contents).clone())).collect()
        };
        vec![
            of(|it| &it.0),
            of(|it| &it.1),
            [("in".to_owned(), format!("{}:{route}", self.listener))].into(),
            [(route.to_owned(), self.routes.clone())].into(),
        ]
    }
}

fn mesh(bad: bool) -> impl Strategy<Value = Mesh> {
    let spoilt = move || if bad { prop_oneof![9 => Just(""), 1 => Just("!")].boxed() } else { Just("").boxed() };
    let content = move || (0u8..3, spoilt()).prop_map(|(content, spoilt)| format!("{content}{spoilt}"));
    let clusters = prop::collection::btree_map(prop::sample::select(&CLUSTERS[..]), (content(), content()), 1..4);
    (clusters, 0u8..3, any::<bool>(), content(), any::<u8>()).prop_map(
        |(clusters, listener, second, routes, chosen)| {
            let names: Vec<&str> = clusters.keys().copied().collect();
            let led_to: BTreeSet<&str> = names
                .iter()
                .copied()
                .cycle()
                .skip(usize::from(chosen % 4))
                .take(1 + usize::from(chosen) / 128)
                .collect();
            let routes = format!("{routes}:{}", led_to.into_iter().collect::<Vec<_>>().join(","));
            Mesh { clusters, listener, second, routes }
        },
    )
}

fn turns(bad: bool, breaks: bool) -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        4 => mesh(bad).prop_map(Turn::Change),
        12 => Just(Turn::Serve),
        12 => Just(Turn::Listen),
        1 => Just(Turn::Time),
        u32::from(breaks) => Just(Turn::Break),
    ];
    prop::collection::vec(turn, 0..120)
}

/// A stream, and what is on its way to the client.
struct Server {
    variant: Variant,
    stream: Stream,
    view: Arc<View>,
    now: Duration,
    sent: VecDeque<(ResourceKind, Response)>,
    /// By type: the version that was refused.
    refused: BTreeSet<(ResourceKind, String)>,
    /// By type: the content of the last complete set.
    last: BTreeMap<ResourceKind, Vec<(String, String)>>,
    settled: bool,
    /// What was said, for whoever looks for a mistake.
    log: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log.join("\n"));
        }
    }
}

impl Server {
    fn new(variant: Variant, view: Arc<View>, now: Duration) -> Self {
        let stream = Stream::new(variant, Arc::clone(&view));
        let (sent, refused, last, log) = Default::default();
        Self { variant, stream, view, now, sent, refused, last, settled: false, log }
    }

    fn request(&mut self, request: Request) {
        self.log.push(match &request {
            Request::StateOfTheWorld(it) => {
                let (kind, refused) = (it.type_url.rsplit('.').next(), it.error_detail.is_some());
                format!("> {kind:?} {:?} #{} refused {refused}", it.resource_names, it.response_nonce)
            }
            Request::Delta(it) => {
                let (kind, refused) = (it.type_url.rsplit('.').next(), it.error_detail.is_some());
                let (add, remove) = (&it.resource_names_subscribe, &it.resource_names_unsubscribe);
                let has = &it.initial_resource_versions;
                format!("> {kind:?} +{add:?} -{remove:?} has {has:?} #{} refused {refused}", it.response_nonce)
            }
        });
        let step = self.stream.on_request(request, self.now).expect("a client that keeps the rules");
        self.take(step);
    }

    fn change(&mut self, view: Arc<View>) {
        self.settled = self.settled && view == self.view;
        self.log.push(format!("view {view:?}"));
        self.view = Arc::clone(&view);
        let step = self.stream.on_view(view, self.now);
        self.take(step);
    }

    fn time(&mut self, now: Duration) {
        self.log.push(format!("at {now:?}"));
        self.now = now;
        let step = self.stream.on_time(now);
        self.take(step);
    }

    fn take(&mut self, step: Step) {
        for outgoing in &step.send {
            let kind = outgoing.kind.expect("a known type");
            let response = world::response(self.variant, outgoing);
            let Response { nonce, resources, removed, .. } = &response;
            self.log.push(format!("  < {kind:?} {resources:?} -{removed:?} #{nonce}"));
            self.check(kind, &response, outgoing);
            self.sent.push_back((kind, response));
            self.settled = false;
        }
        for event in step.events {
            match event {
                Event::Settled => self.settled = true,
                Event::Refused { kind, version, .. } => {
                    let fresh = self.refused.insert((kind, version.to_string()));
                    let everything = matches!(kind, ResourceKind::Cluster | ResourceKind::Listener);
                    assert!(fresh || !everything, "one refusal of {kind:?} {version} is enough");
                }
                Event::Sent { .. } | Event::Acknowledged { .. } => {}
            }
        }
    }

    /// Nothing is said twice.
    fn check(&mut self, kind: ResourceKind, response: &Response, outgoing: &Outgoing) {
        let names: BTreeSet<&String> =
            response.resources.iter().map(|(name, _)| name).chain(&response.removed).collect();
        assert_eq!(names.len(), response.resources.len() + response.removed.len(), "a name twice in {outgoing:?}");
        if self.variant == Variant::StateOfTheWorld && matches!(kind, ResourceKind::Cluster | ResourceKind::Listener) {
            let last = self.last.insert(kind, response.resources.clone());
            assert_ne!(last.as_ref(), Some(&response.resources), "{kind:?} again");
        }
    }

    /// Lets time pass until nothing more will happen. Whether there was something.
    fn wait(&mut self) -> bool {
        let Some(deadline) = self.stream.deadline() else { return false };
        self.time(deadline.max(self.now));
        true
    }
}

/// How a client lives.
#[derive(Clone, Copy)]
struct Life {
    variant: Variant,
    /// It refuses responses as a whole.
    whole: bool,
    /// It has a mesh before anything happens.
    settled: bool,
    /// Replicas remember what is gone. If they do not, a client may wait in vain for endpoints.
    tombstones: bool,
}

/// A client and its server live through all of this, and then through one last good change.
fn live(life: Life, turns: Vec<Turn>, last: Mesh) {
    let Life { variant, whole, settled, tombstones } = life;
    let (mut gone, mut now) = (BTreeMap::new(), Duration::ZERO);
    let mut mesh = last.clone();
    let mut envoy = Envoy::new(variant, whole);
    let mut server = Server::new(variant, mesh.view(&gone), now);
    if settled {
        settle(&mut server, |server| meet(&mut envoy, server));
    }
    let mut known = BTreeMap::new();
    let mut change = |mesh: &mut Mesh, gone: &mut BTreeMap<_, _>, server: &mut Server, new: Mesh| {
        if tombstones {
            let good = |contents: &(String, String)| !contents.0.contains(BAD) && !contents.1.contains(BAD);
            known.extend(std::mem::take(&mut mesh.clusters).into_iter().filter(|(_, contents)| good(contents)));
            gone.clone_from(&known);
            gone.retain(|name, _| !new.clusters.contains_key(name));
        }
        *mesh = new;
        server.change(mesh.view(gone));
    };
    for turn in turns {
        match turn {
            Turn::Change(new) => change(&mut mesh, &mut gone, &mut server, new),
            Turn::Serve => envoy.voice.said.pop_front().into_iter().for_each(|request| server.request(request)),
            Turn::Listen => listen(&mut server, |kind, response| envoy.hear(kind, response)),
            Turn::Time => {
                now = (now + Duration::from_millis(400)).min(TIME);
                server.time(now);
            }
            Turn::Break => {
                envoy.connect();
                server = Server::new(variant, mesh.view(&gone), now);
            }
        }
    }
    change(&mut mesh, &mut gone, &mut server, last);
    settle(&mut server, |server| {
        let waits = meet(&mut envoy, server) || server.wait();
        waits || (!tombstones && variant == Variant::Delta && envoy.give_up())
    });
    assert!(server.settled, "{:#?}\n{envoy:#?}", server.stream);
    assert_eq!(envoy.serves(), mesh.expected(&gone), "{envoy:#?}");
    server.change(mesh.view(&gone));
    assert!(server.sent.is_empty(), "an equal view is told");
}

fn listen(server: &mut Server, hear: impl FnOnce(ResourceKind, Response)) {
    if let Some((kind, response)) = server.sent.pop_front() {
        server.log.push(format!("    hears {kind:?} #{}", response.nonce));
        hear(kind, response);
    }
}

/// Both read what is on its way. Whether there was something.
fn meet(envoy: &mut Envoy, server: &mut Server) -> bool {
    let said = envoy.voice.said.pop_front();
    let moved = said.is_some() || !server.sent.is_empty();
    listen(server, |kind, response| envoy.hear(kind, response));
    said.into_iter().for_each(|request| server.request(request));
    moved
}

fn settle(server: &mut Server, mut turn: impl FnMut(&mut Server) -> bool) {
    for _ in 0..100_000 {
        if !turn(server) && !server.wait() {
            return;
        }
    }
    panic!("never done: {:#?}", server.stream);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_envoy_never_follows_a_route_to_nothing(delta: bool, settled: bool, turns in turns(false, false), last in mesh(false)) {
        live(Life { variant: variant(delta), whole: false, settled, tombstones: false }, turns, last);
    }

    #[test]
    fn an_envoy_that_refuses_keeps_what_it_has(delta: bool, whole: bool, turns in turns(true, false), last in mesh(false)) {
        live(Life { variant: variant(delta), whole, settled: true, tombstones: false }, turns, last);
    }

    #[test]
    fn an_envoy_survives_its_replicas(delta: bool, settled: bool, turns in turns(false, true), last in mesh(false)) {
        live(Life { variant: variant(delta), whole: false, settled, tombstones: true }, turns, last);
    }

    #[test]
    fn an_envoy_that_refuses_survives_its_replicas(delta: bool, whole: bool, turns in turns(true, true), last in mesh(false)) {
        live(Life { variant: variant(delta), whole, settled: true, tombstones: true }, turns, last);
    }

    #[test]
    fn a_delta_envoy_survives_replicas_that_forgot_what_is_gone(settled: bool, turns in turns(false, true), last in mesh(false)) {
        live(Life { variant: Variant::Delta, whole: false, settled, tombstones: false }, turns, last);
    }

    #[test]
    fn a_grpc_client_never_follows_a_route_to_nothing(delta: bool, turns in turns(false, false), last in mesh(false)) {
        let variant = variant(delta);
        let (gone, mut now) = (BTreeMap::new(), Duration::ZERO);
        let mut grpc = Grpc::new(variant);
        let mut server = Server::new(variant, last.view(&gone), now);
        for turn in turns {
            match turn {
                Turn::Change(new) => server.change(new.view(&gone)),
                Turn::Serve => grpc.voice.said.pop_front().into_iter().for_each(|request| server.request(request)),
                Turn::Listen => {
                    server.last.clear();
                    server.sent.pop_front().into_iter().for_each(|(kind, response)| grpc.hear(kind, response));
                }
                Turn::Time | Turn::Break => {
                    now = (now + Duration::from_millis(400)).min(TIME);
                    server.time(now);
                }
            }
        }
        server.change(last.view(&gone));
        settle(&mut server, |server| {
            server.last.clear();
            let (said, heard) = (grpc.voice.said.pop_front(), server.sent.pop_front());
            let moved = said.is_some() || heard.is_some();
            said.into_iter().for_each(|request| server.request(request));
            heard.into_iter().for_each(|(kind, response)| grpc.hear(kind, response));
            moved
        });
        prop_assert!(server.settled);
        prop_assert_eq!(grpc.follows(), Some(last.routes.as_str()));
    }
}

/// `PROPTEST_CASES=20000` looks longer.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(128)
}

fn variant(delta: bool) -> Variant {
    if delta { Variant::Delta } else { Variant::StateOfTheWorld }
}
