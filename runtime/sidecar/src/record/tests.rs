use envoy::config::cluster::v3::Cluster;
use envoy::config::listener::v3::Listener;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::Resource;
use prost::Name as _;
use prost_types::Any;

use super::*;

const NOW: Duration = Duration::from_secs(100);

/// A stream, and the numbers of its nonces.
struct Talk {
    recorder: Recorder,
    nonce: usize,
    now: Duration,
}

impl Talk {
    fn new(variant: Variant, known: Option<Arc<LastGood>>) -> Self {
        Self { recorder: Recorder::new(variant, known, Arc::default()), nonce: 0, now: NOW }
    }

    fn ask(&mut self, kind: ResourceKind, names: &[&str]) {
        let request = DiscoveryRequest {
            node: Some(Node { id: "beta~task".to_owned(), ..Node::default() }),
            type_url: kind.type_url(),
            resource_names: owned(names),
            ..DiscoveryRequest::default()
        };
        self.recorder.on_request(&request.encode_to_vec().into(), self.now);
    }

    /// Sends, and returns what acknowledges it.
    fn send(&mut self, kind: ResourceKind, resources: &[Any]) -> DiscoveryRequest {
        self.nonce += 1;
        let response = DiscoveryResponse {
            type_url: kind.type_url(),
            resources: resources.to_vec(),
            nonce: self.nonce.to_string(),
            ..DiscoveryResponse::default()
        };
        self.recorder.on_response(&response.encode_to_vec().into());
        DiscoveryRequest { type_url: kind.type_url(), response_nonce: response.nonce, ..DiscoveryRequest::default() }
    }

    fn take(&mut self, request: &DiscoveryRequest) -> Noticed {
        self.recorder.on_request(&request.encode_to_vec().into(), self.now)
    }

    fn tell(&mut self, kind: ResourceKind, resources: &[Any], names: &[&str]) {
        let request = DiscoveryRequest { resource_names: owned(names), ..self.send(kind, resources) };
        self.take(&request);
    }

    fn delta(&mut self, request: DeltaDiscoveryRequest) {
        let node = Some(Node { id: "beta".to_owned(), ..Node::default() });
        let request = DeltaDiscoveryRequest { node, ..request };
        self.recorder.on_request(&request.encode_to_vec().into(), self.now);
    }

    fn delta_tell(&mut self, kind: ResourceKind, resources: &[(&str, &str)], removed: &[&str]) {
        let response_nonce = self.delta_send(kind, resources, removed);
        self.delta(DeltaDiscoveryRequest {
            type_url: kind.type_url(),
            response_nonce,
            ..DeltaDiscoveryRequest::default()
        });
    }

    /// Returns the nonce.
    fn delta_send(&mut self, kind: ResourceKind, resources: &[(&str, &str)], removed: &[&str]) -> String {
        self.nonce += 1;
        let resources = resources.iter().map(|(name, version)| Resource {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            resource: Some(named(kind, name)),
            ..Resource::default()
        });
        let response = DeltaDiscoveryResponse {
            type_url: kind.type_url(),
            resources: resources.collect(),
            removed_resources: owned(removed),
            nonce: self.nonce.to_string(),
            ..DeltaDiscoveryResponse::default()
        };
        self.recorder.on_response(&response.encode_to_vec().into());
        response.nonce
    }

    /// `cds: a b, lds: in`, or nothing where it is not whole.
    fn state(&self) -> Option<String> {
        let state = self.recorder.state(self.now)?;
        assert_eq!(state.proxy, "beta");
        let kinds = state.types.iter().map(|(kind, by_name)| {
            let names: Vec<&str> = by_name.keys().map(|name| &**name).collect();
            format!("{}: {}", kind.short_name(), names.join(" "))
        });
        Some(kinds.collect::<Vec<_>>().join(", "))
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn named(kind: ResourceKind, name: &str) -> Any {
    let message = Cluster { name: name.to_owned(), ..Cluster::default() };
    Any { type_url: kind.type_url(), value: message.encode_to_vec() }
}

const CDS: ResourceKind = ResourceKind::Cluster;
const EDS: ResourceKind = ResourceKind::Endpoints;
const LDS: ResourceKind = ResourceKind::Listener;
const RDS: ResourceKind = ResourceKind::Routes;

/// A state-of-the-world stream that has everything.
fn whole() -> Talk {
    let mut talk = Talk::new(Variant::StateOfTheWorld, None);
    talk.ask(CDS, &[]);
    talk.tell(CDS, &[named(CDS, "a")], &[]);
    talk.ask(LDS, &[]);
    talk.tell(LDS, &[named(LDS, "in")], &[]);
    talk
}

#[test]
fn nothing_is_recorded_before_clusters_and_listeners_are_acknowledged() {
    let mut talk = Talk::new(Variant::StateOfTheWorld, None);
    talk.ask(CDS, &[]);
    talk.tell(CDS, &[named(CDS, "a")], &[]);
    talk.ask(LDS, &[]);
    let acknowledgement = talk.send(LDS, &[named(LDS, "in")]);
    assert_eq!(talk.state(), None);
    assert_eq!(talk.take(&acknowledgement).acknowledged, Some(LDS));
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in"));
}

#[test]
fn what_is_refused_is_not_recorded() {
    let mut talk = whole();
    let refusal = DiscoveryRequest {
        error_detail: Some(Status { message: "no".to_owned(), ..Status::default() }),
        ..talk.send(CDS, &[named(CDS, "bad")])
    };
    let noticed = talk.take(&refusal);
    assert_eq!((noticed.acknowledged, noticed.refused), (None, Some(CDS)));
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in"));
}

#[test]
fn a_list_of_clusters_replaces_the_one_before() {
    let mut talk = whole();
    talk.tell(CDS, &[named(CDS, "b"), named(CDS, "c")], &[]);
    assert_eq!(talk.state().as_deref(), Some("cds: b c, lds: in"));
}

#[test]
fn a_state_is_whole_when_everything_that_was_asked_for_by_name_is_there() {
    let mut talk = whole();
    talk.ask(EDS, &["a", "b"]);
    assert_eq!(talk.state(), None);
    talk.tell(EDS, &[named(EDS, "a")], &["a", "b"]);
    assert_eq!(talk.state(), None);
    talk.tell(EDS, &[named(EDS, "b")], &["a", "b"]);
    assert_eq!(talk.state().as_deref(), Some("cds: a, eds: a b, lds: in"));
    talk.tell(EDS, &[], &["b"]);
    assert_eq!(talk.state().as_deref(), Some("cds: a, eds: b, lds: in"), "nobody asks for `a` any more");
}

#[test]
fn what_nobody_gives_is_waited_for_no_longer_than_envoy_waits() {
    let mut talk = whole();
    talk.ask(RDS, &["missing"]);
    assert_eq!(talk.state(), None);
    talk.now += MISSING_AFTER + Duration::from_secs(1);
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in"));
}

#[test]
fn nothing_named_means_nothing_once_something_was_named() {
    let mut talk = whole();
    talk.ask(RDS, &["r"]);
    talk.tell(RDS, &[named(RDS, "r")], &["r"]);
    talk.ask(RDS, &[]);
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in"));
}

/// A delta stream that has everything.
fn whole_delta(known: Option<Arc<LastGood>>) -> Talk {
    let mut talk = Talk::new(Variant::Delta, known);
    for (kind, name) in [(CDS, "a"), (LDS, "in")] {
        talk.delta(DeltaDiscoveryRequest { type_url: kind.type_url(), ..DeltaDiscoveryRequest::default() });
        talk.delta_tell(kind, &[(name, "1")], &[]);
    }
    talk
}

#[test]
fn changes_are_added_to_what_is_there() {
    let mut talk = whole_delta(None);
    talk.delta_tell(CDS, &[("b", "1")], &[]);
    talk.delta_tell(CDS, &[("c", "1")], &["a"]);
    assert_eq!(talk.state().as_deref(), Some("cds: b c, lds: in"));
}

#[test]
fn what_is_known_to_be_missing_makes_a_state_whole() {
    let mut talk = whole_delta(None);
    let subscribe = |names: &[&str]| DeltaDiscoveryRequest {
        type_url: RDS.type_url(),
        resource_names_subscribe: owned(names),
        ..Default::default()
    };
    talk.delta(subscribe(&["r", "s"]));
    talk.delta_tell(RDS, &[("r", "1")], &[]);
    assert_eq!(talk.state(), None);
    talk.delta_tell(RDS, &[], &["s"]);
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in, rds: r"));
    let unsubscribe = DeltaDiscoveryRequest {
        type_url: RDS.type_url(),
        resource_names_unsubscribe: owned(&["r"]),
        ..DeltaDiscoveryRequest::default()
    };
    talk.delta(unsubscribe);
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in"));
}

/// A stream that begins with what an earlier one gave; the control plane sends nothing of it again.
fn reconnected(versions: [&str; 2], known: Option<Arc<LastGood>>, seen: Seen) -> Talk {
    let mut talk = Talk::new(Variant::Delta, known);
    talk.recorder.seen = Arc::new(seen);
    for ((kind, name), version) in [(CDS, "a"), (LDS, "in")].into_iter().zip(versions) {
        talk.delta(DeltaDiscoveryRequest {
            type_url: kind.type_url(),
            initial_resource_versions: [(name.to_owned(), version.to_owned())].into_iter().collect(),
            ..DeltaDiscoveryRequest::default()
        });
        talk.delta_tell(kind, &[], &[]);
    }
    talk
}

#[test]
fn what_a_new_stream_does_not_send_again_is_taken_from_the_record() {
    let known = whole_delta(None).recorder.state(NOW).map(Arc::new);
    let again = |version, known| reconnected([version; 2], known, Seen::new());
    assert_eq!(again("1", known.clone()).state().as_deref(), Some("cds: a, lds: in"));
    let unseen = again("2", known);
    assert!(unseen.recorder.has_unseen());
    assert_eq!(unseen.state(), None, "nobody has seen these versions");
    assert_eq!(again("1", None).state(), None);
}

/// Envoy takes a change at once, and acknowledges it when its clusters are warm.
#[test]
fn what_was_taken_and_not_acknowledged_before_a_stream_ended_is_recorded_on_the_next() {
    for mut talk in [whole_delta(None), Talk::new(Variant::Delta, None)] {
        let known = talk.recorder.state(NOW).map(Arc::new);
        let in_the_record = known.is_some();
        if !in_the_record {
            talk.delta(DeltaDiscoveryRequest { type_url: LDS.type_url(), ..DeltaDiscoveryRequest::default() });
            talk.delta_tell(LDS, &[("in", "1")], &[]);
            talk.delta(DeltaDiscoveryRequest { type_url: CDS.type_url(), ..DeltaDiscoveryRequest::default() });
        }
        talk.delta_send(CDS, &[("a", "2")], &[]);
        let next = reconnected(["2", "1"], known.clone(), talk.recorder.seen());
        let state = next.recorder.state(NOW).expect("it is whole");
        assert_eq!(&*state.types[&CDS]["a"].version, "2", "in the record: {in_the_record}");
        assert!(!next.recorder.has_unseen());
        let third = reconnected(["2", "1"], known, next.recorder.seen());
        assert_eq!(third.state().as_deref(), Some("cds: a, lds: in"));
    }
}

#[test]
fn a_response_too_many_is_not_forgotten_as_if_it_had_never_been() {
    let mut talk = whole_delta(None);
    talk.delta_send(CDS, &[("b", "1")], &[]);
    let nonces: Vec<String> = (0..MOST_PENDING).map(|_| talk.delta_send(CDS, &[("a", "2")], &[])).collect();
    for response_nonce in nonces {
        talk.delta(DeltaDiscoveryRequest {
            type_url: CDS.type_url(),
            response_nonce,
            ..DeltaDiscoveryRequest::default()
        });
    }
    assert_eq!(talk.state(), None);
    talk.delta_tell(CDS, &[("b", "2")], &[]);
    assert_eq!(talk.state().as_deref(), Some("cds: a b, lds: in"));
}

#[test]
fn bytes_that_are_no_message_are_nothing_to_record() {
    for variant in [Variant::StateOfTheWorld, Variant::Delta] {
        let mut recorder = Recorder::new(variant, None, Arc::default());
        recorder.on_request(&Bytes::from_static(b"\xff\xff\xff"), NOW);
        recorder.on_response(&Bytes::from_static(b"\xff"));
        assert!(recorder.state(NOW).is_none());
    }
}

#[test]
fn every_type_has_its_name_where_it_is_looked_for() {
    let listener = Listener { name: "in".to_owned(), ..Listener::default() };
    let mut talk = whole();
    talk.tell(LDS, &[Any { type_url: Listener::type_url(), value: listener.encode_to_vec() }], &[]);
    assert_eq!(talk.state().as_deref(), Some("cds: a, lds: in"));
    let endpoints =
        envoy::config::endpoint::v3::ClusterLoadAssignment { cluster_name: "e".to_owned(), ..Default::default() };
    let routes = envoy::config::route::v3::RouteConfiguration { name: "r".to_owned(), ..Default::default() };
    let secret = envoy::extensions::transport_sockets::tls::v3::Secret { name: "s".to_owned(), ..Default::default() };
    let filter = envoy::config::core::v3::TypedExtensionConfig { name: "f".to_owned(), ..Default::default() };
    let all = [
        (EDS, "e", endpoints.encode_to_vec()),
        (RDS, "r", routes.encode_to_vec()),
        (ResourceKind::Secret, "s", secret.encode_to_vec()),
        (ResourceKind::Extension, "f", filter.encode_to_vec()),
    ];
    for (kind, name, value) in all {
        talk.ask(kind, &[name]);
        talk.tell(kind, &[Any { type_url: kind.type_url(), value }], &[name]);
    }
    assert_eq!(talk.state().as_deref(), Some("cds: a, eds: e, sds: s, lds: in, ecds: f, rds: r"));
}
