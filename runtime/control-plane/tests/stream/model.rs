//! An Envoy, as far as the order of its configuration goes: it warms clusters and listeners, acknowledges clusters only
//! once they are warm, does not ask again for endpoints whose cluster changed, and names what it wants with a nonce that
//! may be stale. And a gRPC client, which asks for one thing after the other, by name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use compiler::snapshot::ResourceKind;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use meshwright_control_plane::{Request, Variant};

use crate::world::Response;

/// What a client must not be given, in a content.
pub(crate) const BAD: char = '!';

/// What both have: how they speak.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    pub(crate) variant: Variant,
    /// To the server.
    pub(crate) said: VecDeque<Request>,
    /// By type, of this stream.
    nonces: BTreeMap<ResourceKind, String>,
    named: BTreeMap<ResourceKind, BTreeSet<String>>,
    /// By type: what a new stream is told that this client has.
    has: BTreeMap<ResourceKind, BTreeMap<String, String>>,
}

impl Voice {
    pub(crate) fn new(variant: Variant) -> Self {
        let (said, nonces, named, has) = Default::default();
        Self { variant, said, nonces, named, has }
    }

    fn names(&self, kind: ResourceKind) -> BTreeSet<String> {
        self.named.get(&kind).cloned().unwrap_or_default()
    }

    /// A first request, or one that changes what is wanted.
    fn want(&mut self, kind: ResourceKind, names: BTreeSet<String>, first: bool) {
        let old = self.named.insert(kind, names.clone()).unwrap_or_default();
        let has = if first { self.has.get(&kind).cloned().unwrap_or_default() } else { BTreeMap::new() };
        self.said.push_back(match self.variant {
            Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                type_url: kind.type_url(),
                version_info: if has.is_empty() { String::new() } else { "earlier".to_owned() },
                resource_names: names.into_iter().collect(),
                response_nonce: self.nonces.get(&kind).cloned().unwrap_or_default(),
                ..Default::default()
            }),
            Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
                type_url: kind.type_url(),
                resource_names_subscribe: names.difference(&old).cloned().collect(),
                resource_names_unsubscribe: old.difference(&names).cloned().collect(),
                initial_resource_versions: has,
                ..Default::default()
            }),
        });
    }

    fn answer(&mut self, kind: ResourceKind, nonce: String, refuses: bool) {
        let error_detail = refuses.then(Status::default);
        self.nonces.insert(kind, nonce.clone());
        self.said.push_back(match self.variant {
            Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                type_url: kind.type_url(),
                version_info: "any".to_owned(),
                resource_names: self.names(kind).into_iter().collect(),
                response_nonce: nonce,
                error_detail,
                ..Default::default()
            }),
            Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
                type_url: kind.type_url(),
                response_nonce: nonce,
                error_detail,
                ..Default::default()
            }),
        });
    }

    /// What a response leaves of what the client had; whether it is complete; whether it is refused.
    fn apply(&mut self, kind: ResourceKind, response: &Response, whole: bool) -> (BTreeMap<String, String>, bool) {
        let complete =
            self.variant == Variant::StateOfTheWorld && matches!(kind, ResourceKind::Cluster | ResourceKind::Listener);
        let everything = self.named.get(&kind).is_none_or(BTreeSet::is_empty)
            && matches!(kind, ResourceKind::Cluster | ResourceKind::Listener);
        let names = self.names(kind);
        let refuses = response.resources.iter().any(|(_, content)| content.contains(BAD));
        let old = self.has.entry(kind).or_default();
        let mut new = if complete && !(whole && refuses) { BTreeMap::new() } else { old.clone() };
        if !(whole && refuses) {
            for (name, content) in response.resources.iter().filter(|it| everything || names.contains(&it.0)) {
                if !content.contains(BAD) {
                    new.insert(name.clone(), content.clone());
                } else if let Some(content) = old.get(name) {
                    new.insert(name.clone(), content.clone());
                }
            }
            new.retain(|name, _| !response.removed.contains(name));
        }
        old.clone_from(&new);
        (new, refuses)
    }
}

/// A version that serves, and one that is not ready to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stage {
    active: Option<String>,
    warming: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Envoy {
    pub(crate) voice: Voice,
    /// Refuses responses as a whole.
    whole: bool,
    clusters: BTreeMap<String, Stage>,
    /// The clusters whose active version was told its endpoints.
    hosts: BTreeSet<String>,
    listeners: BTreeMap<String, Stage>,
    /// The nonces of clusters that it does not acknowledge yet.
    withheld: Vec<String>,
    /// It refused something: clusters may come although others are not acknowledged.
    refused: bool,
}

impl Envoy {
    pub(crate) fn new(variant: Variant, whole: bool) -> Self {
        let (clusters, hosts, listeners) = Default::default();
        let mut envoy = Self {
            voice: Voice::new(variant),
            whole,
            clusters,
            hosts,
            listeners,
            withheld: Vec::new(),
            refused: false,
        };
        envoy.connect();
        envoy
    }

    /// Begins a new stream with what it has.
    pub(crate) fn connect(&mut self) {
        let named = std::mem::take(&mut self.voice.named);
        self.voice.said.clear();
        self.voice.nonces.clear();
        self.withheld.clear();
        for kind in [ResourceKind::Cluster, ResourceKind::Endpoints, ResourceKind::Listener, ResourceKind::Routes] {
            let names = named.get(&kind).cloned().unwrap_or_default();
            if !names.is_empty() || matches!(kind, ResourceKind::Cluster | ResourceKind::Listener) {
                self.voice.want(kind, names, true);
            }
        }
    }

    pub(crate) fn hear(&mut self, kind: ResourceKind, response: Response) {
        let (new, refuses) = self.voice.apply(kind, &response, self.whole);
        self.refused |= refuses;
        match kind {
            ResourceKind::Cluster => {
                assert!(self.withheld.is_empty() || self.refused, "others still wait to be acknowledged");
                stage(&mut self.clusters, &new);
                self.hosts.retain(|name| new.contains_key(name));
                if !refuses {
                    self.withheld.push(response.nonce.clone());
                }
                self.voice.nonces.insert(kind, self.voice.nonces.get(&kind).cloned().unwrap_or_default());
                self.subscribe(ResourceKind::Endpoints, self.clusters.keys().cloned().collect());
                if refuses {
                    self.voice.answer(kind, response.nonce, true);
                }
            }
            ResourceKind::Endpoints => {
                for (name, content) in &response.resources {
                    if let Some(cluster) = self.clusters.get_mut(name)
                        && (!refuses || !(self.whole || content.contains(BAD)))
                    {
                        cluster.active = cluster.warming.take().or(cluster.active.take());
                        self.hosts.insert(name.clone());
                    }
                }
                for name in &response.removed {
                    // Who is told that there are none goes on without, but keeps those that it had.
                    if let Some(cluster) = self.clusters.get_mut(name)
                        && let Some(warm) = cluster.warming.take()
                    {
                        cluster.active = Some(warm);
                        self.hosts.remove(name);
                    }
                }
                self.voice.answer(kind, response.nonce, refuses);
            }
            ResourceKind::Listener => {
                stage(&mut self.listeners, &new);
                self.voice.answer(kind, response.nonce, refuses);
            }
            _ => self.voice.answer(kind, response.nonce, refuses),
        }
        self.acknowledge_clusters();
        self.warm_listeners();
        self.check();
    }

    fn acknowledge_clusters(&mut self) {
        if self.clusters.values().any(|cluster| cluster.warming.is_some()) {
            return;
        }
        let mut withheld = std::mem::take(&mut self.withheld);
        if self.voice.variant == Variant::StateOfTheWorld {
            withheld.drain(..withheld.len().saturating_sub(1));
        }
        for nonce in withheld {
            self.voice.answer(ResourceKind::Cluster, nonce, false);
        }
    }

    /// Goes on without endpoints that it has waited for long enough. Whether there were any.
    pub(crate) fn give_up(&mut self) -> bool {
        let mut gave_up = false;
        for (name, cluster) in &mut self.clusters {
            if let Some(warm) = cluster.warming.take() {
                cluster.active = Some(warm);
                self.hosts.remove(name);
                gave_up = true;
            }
        }
        self.acknowledge_clusters();
        self.check();
        gave_up
    }

    fn warm_listeners(&mut self) {
        let routes = self.voice.has.get(&ResourceKind::Routes).cloned().unwrap_or_default();
        for listener in self.listeners.values_mut() {
            if let Some(warm) = listener.warming.take_if(|warming| routes.contains_key(route_of(warming))) {
                listener.active = Some(warm);
            }
        }
        let stages = self.listeners.values().flat_map(|listener| [&listener.active, &listener.warming]);
        let names: BTreeSet<String> = stages.flatten().map(|content| route_of(content).to_owned()).collect();
        self.subscribe(ResourceKind::Routes, names);
    }

    /// Wants other names than before.
    fn subscribe(&mut self, kind: ResourceKind, names: BTreeSet<String>) {
        if self.voice.names(kind) != names {
            self.voice.has.entry(kind).or_default().retain(|name, _| names.contains(name));
            self.voice.want(kind, names, false);
        }
    }

    /// Every route that is used leads to clusters that are warm.
    fn check(&self) {
        let empty = BTreeMap::new();
        let routes = self.voice.has.get(&ResourceKind::Routes).unwrap_or(&empty);
        for (name, listener) in &self.listeners {
            let Some(route) = listener.active.as_deref().map(route_of) else { continue };
            for cluster in clusters_of(routes.get(route).expect("routes of a listener that is used")) {
                let warm = self.clusters.get(cluster).is_some_and(|cluster| cluster.active.is_some())
                    && self.hosts.contains(cluster);
                assert!(warm, "`{name}` leads to `{cluster}`, which is not there: {self:#?}");
            }
        }
    }

    /// What serves: clusters, endpoints, listeners, routes.
    pub(crate) fn serves(&self) -> Vec<BTreeMap<String, String>> {
        let active = |stages: &BTreeMap<String, Stage>| -> BTreeMap<String, String> {
            stages.iter().filter_map(|(name, it)| Some((name.clone(), it.active.clone()?))).collect()
        };
        let has = |kind| self.voice.has.get(&kind).cloned().unwrap_or_default();
        vec![active(&self.clusters), has(ResourceKind::Endpoints), active(&self.listeners), has(ResourceKind::Routes)]
    }
}

/// What changed must warm before it replaces what serves.
fn stage(stages: &mut BTreeMap<String, Stage>, new: &BTreeMap<String, String>) {
    stages.retain(|name, _| new.contains_key(name));
    for (name, content) in new {
        let stage = stages.entry(name.clone()).or_default();
        if stage.warming.as_ref().or(stage.active.as_ref()) != Some(content) {
            stage.warming = (stage.active.as_ref() != Some(content)).then(|| content.clone());
        }
    }
}

/// `3:r`: a listener's routes.
fn route_of(listener: &str) -> &str {
    listener.split_once(':').map_or("", |(_, route)| route)
}

/// `3:a,b`: the clusters of routes.
fn clusters_of(routes: &str) -> impl Iterator<Item = &str> {
    routes.split_once(':').map_or("", |(_, clusters)| clusters).split(',')
}

/// A client that asks for a listener, then its routes, then their clusters, then their endpoints, and goes over to new
/// routes when it has everything they need.
#[derive(Clone, Debug)]
pub(crate) struct Grpc {
    pub(crate) voice: Voice,
    /// The routes that are followed.
    follows: Option<String>,
}

impl Grpc {
    pub(crate) fn new(variant: Variant) -> Self {
        let mut grpc = Self { voice: Voice::new(variant), follows: None };
        grpc.voice.want(ResourceKind::Listener, ["in".to_owned()].into(), true);
        grpc
    }

    pub(crate) fn hear(&mut self, kind: ResourceKind, response: Response) {
        let (_, refuses) = self.voice.apply(kind, &response, true);
        self.voice.answer(kind, response.nonce, refuses);
        let has = |kind| self.voice.has.get(&kind).cloned().unwrap_or_default();
        let listener = has(ResourceKind::Listener).get("in").cloned();
        let route = listener.as_deref().map(route_of).unwrap_or_default().to_owned();
        let newest = has(ResourceKind::Routes).get(&route).cloned();
        let ready = |routes: &String| {
            clusters_of(routes).all(|name| {
                has(ResourceKind::Cluster).contains_key(name) && has(ResourceKind::Endpoints).contains_key(name)
            })
        };
        if let Some(newest) = newest.clone().filter(|newest| ready(newest)) {
            self.follows = Some(newest);
        }
        assert!(
            self.follows.as_ref().is_none_or(ready),
            "follows {:?} without all it needs: {:#?}",
            self.follows,
            self
        );
        let clusters = self.follows.iter().chain(&newest).flat_map(|routes| clusters_of(routes)).map(str::to_owned);
        let clusters: BTreeSet<String> = clusters.collect();
        self.subscribe(ResourceKind::Routes, [route].into_iter().filter(|route| !route.is_empty()).collect());
        self.subscribe(ResourceKind::Cluster, clusters.clone());
        self.subscribe(ResourceKind::Endpoints, clusters);
    }

    fn subscribe(&mut self, kind: ResourceKind, names: BTreeSet<String>) {
        if self.voice.names(kind) != names {
            self.voice.has.entry(kind).or_default().retain(|name, _| names.contains(name));
            self.voice.want(kind, names, false);
        }
    }

    pub(crate) fn follows(&self) -> Option<&str> {
        self.follows.as_deref()
    }
}
