//! The server: a proxy with many clusters, one of which or all of which change.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use envoy::config::cluster::v3::Cluster;
use envoy::config::cluster::v3::cluster::{ClusterDiscoveryType, DiscoveryType, EdsClusterConfig};
use envoy::config::core::v3::address::Address as Kind;
use envoy::config::core::v3::socket_address::PortSpecifier;
use envoy::config::core::v3::{Address, SocketAddress};
use envoy::config::endpoint::v3::lb_endpoint::HostIdentifier;
use envoy::config::endpoint::v3::{ClusterLoadAssignment, Endpoint, LbEndpoint, LocalityLbEndpoints};
use envoy::config::listener::v3::Listener;
use envoy::config::route::v3::RouteConfiguration;
use meshwright_control_plane::server::{self, Listen, Machine, Options, Running, Shared};
use meshwright_control_plane::stream::{Event, Refusal, Request, Step, Stream, TypeStatus};
use meshwright_control_plane::{Metrics, Published, Registry, Served, View};
use prost::Message;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::{PATIENCE, PROXY};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _running: Running,
    publish: watch::Sender<Arc<Published>>,
    registry: Registry,
    metrics: Metrics,
    clusters: usize,
    /// The generation of every cluster.
    generations: Vec<usize>,
    changed: Instant,
}

/// When streams had all of what was published last.
static SETTLED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

impl Server {
    pub(crate) async fn start(clusters: usize) -> Result<Self, Box<dyn Error>> {
        let generations = vec![0; clusters];
        let (publish, published) = watch::channel(Arc::new(mesh(&generations)));
        let (registry, metrics) = (Registry::default(), Metrics::default());
        let options = Options {
            listen: Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            machine: |variant, view| Box::new(Watched(Stream::new(variant, view))),
            ..Options::default()
        };
        let shared = Shared { published, metrics: metrics.clone(), registry: registry.clone() };
        let running = server::start(options, shared).await?;
        let address = running.address().ok_or("no address")?;
        let changed = Instant::now();
        Ok(Self { address, _running: running, publish, registry, metrics, clusters, generations, changed })
    }

    /// Waits until so many streams have everything; returns how many were let in within the busiest second.
    pub(crate) async fn until_settled(&mut self, streams: usize, began: Instant) -> Result<f64, Box<dyn Error>> {
        let mut opened = vec![(Instant::now(), self.opened())];
        loop {
            sleep(Duration::from_millis(100)).await;
            opened.push((Instant::now(), self.opened()));
            if self.registry.len() >= streams {
                self.registry.measure(&self.metrics);
                if self.metric("unsettled_streams") == 0.0 {
                    break;
                }
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{} of {streams} streams after {PATIENCE:?}", self.registry.len()).into());
            }
        }
        SETTLED.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let second = Duration::from_secs(1);
        let rates = opened.iter().filter_map(|(from, before)| {
            let (to, after) = opened.iter().find(|(to, _)| to.duration_since(*from) >= second)?;
            Some((after - before) / to.duration_since(*from).as_secs_f64())
        });
        // The first second holds the burst.
        Ok(rates.fold(0.0, f64::max))
    }

    pub(crate) fn change(&mut self, everything: bool) {
        let changed = if everything { self.clusters } else { 1 };
        for generation in self.generations.iter_mut().take(changed) {
            *generation += 1;
        }
        let next = mesh(&self.generations);
        SETTLED.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.changed = Instant::now();
        self.publish.send_replace(Arc::new(next));
    }

    /// How long each stream took to have the change.
    pub(crate) async fn until_told(&self, streams: usize) -> Result<Vec<Duration>, Box<dyn Error>> {
        loop {
            {
                let settled = SETTLED.lock().unwrap_or_else(PoisonError::into_inner);
                if settled.len() >= streams {
                    return Ok(settled.iter().map(|at| at.duration_since(self.changed)).collect());
                }
                if self.changed.elapsed() > PATIENCE {
                    return Err(format!("{} of {streams} streams have the change", settled.len()).into());
                }
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn until_alone(&self) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        while !self.registry.is_empty() {
            if began.elapsed() > PATIENCE {
                return Err("streams stay although their clients are gone".into());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    pub(crate) fn refused(&self) -> f64 {
        self.metric("streams_refused_total{reason=\"rate\"}")
    }

    fn opened(&self) -> f64 {
        self.metric("streams_opened_total{variant=\"sotw\"}") + self.metric("streams_opened_total{variant=\"delta\"}")
    }

    fn metric(&self, series: &str) -> f64 {
        let wanted = format!("meshwright_control_plane_{series} ");
        let text = self.metrics.text();
        text.lines().find_map(|line| line.strip_prefix(&wanted)?.parse().ok()).unwrap_or_default()
    }
}

fn mesh(generations: &[usize]) -> Published {
    let mut resources = Vec::new();
    for (number, generation) in generations.iter().enumerate() {
        let name = format!("service-{number}.mesh.example");
        let stat = format!("service-{number}-{generation}");
        let endpoints = assignment(&name, number);
        resources.push(
            (ResourceKind::Cluster, &name.clone(), stat.clone(), cluster(&name, &stat).encode_to_vec()).into_served(),
        );
        resources.push((ResourceKind::Endpoints, &name, "0".to_owned(), endpoints.encode_to_vec()).into_served());
    }
    let listener = Listener { name: "outbound".into(), ..Listener::default() };
    resources
        .push((ResourceKind::Listener, &"outbound".to_owned(), "0".to_owned(), listener.encode_to_vec()).into_served());
    let routes = RouteConfiguration { name: "outbound".into(), ..RouteConfiguration::default() };
    resources
        .push((ResourceKind::Routes, &"outbound".to_owned(), "0".to_owned(), routes.encode_to_vec()).into_served());
    Published::with_views(BTreeMap::from([(PROXY.to_owned(), Arc::new(View::new(resources)))]))
}

trait IntoServed {
    fn into_served(self) -> (ResourceKind, Arc<Served>);
}

impl IntoServed for (ResourceKind, &String, String, Vec<u8>) {
    fn into_served(self) -> (ResourceKind, Arc<Served>) {
        let (kind, name, version, bytes) = self;
        (kind, Arc::new(Served::new(kind, name, &version, Bytes::from(bytes))))
    }
}

fn cluster(name: &str, stat: &str) -> Cluster {
    Cluster {
        name: name.into(),
        alt_stat_name: stat.into(),
        cluster_discovery_type: Some(ClusterDiscoveryType::Type(DiscoveryType::Eds.into())),
        eds_cluster_config: Some(EdsClusterConfig { service_name: name.into(), ..EdsClusterConfig::default() }),
        ..Cluster::default()
    }
}

fn assignment(name: &str, number: usize) -> ClusterLoadAssignment {
    let endpoint = |host: usize| {
        let address = SocketAddress {
            address: format!("10.{}.{}.{host}", number / 256, number % 256),
            port_specifier: Some(PortSpecifier::PortValue(8080)),
            ..SocketAddress::default()
        };
        let address = Address { address: Some(Kind::SocketAddress(address)) };
        let endpoint = Endpoint { address: Some(address), ..Endpoint::default() };
        LbEndpoint { host_identifier: Some(HostIdentifier::Endpoint(endpoint)), ..LbEndpoint::default() }
    };
    let locality =
        LocalityLbEndpoints { lb_endpoints: (1..=3).map(endpoint).collect(), ..LocalityLbEndpoints::default() };
    ClusterLoadAssignment { cluster_name: name.into(), endpoints: vec![locality], ..ClusterLoadAssignment::default() }
}

/// Tells when its stream is settled.
#[derive(Debug)]
struct Watched(Stream);

fn seen(step: Step) -> Step {
    if step.events.contains(&Event::Settled) {
        SETTLED.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
    }
    step
}

impl Machine for Watched {
    fn on_request(&mut self, request: Request, now: Duration) -> Result<Step, Refusal> {
        self.0.on_request(request, now).map(seen)
    }

    fn on_view(&mut self, view: Arc<View>, now: Duration) -> Step {
        seen(self.0.on_view(view, now))
    }

    fn deadline(&self) -> Option<Duration> {
        self.0.deadline()
    }

    fn on_time(&mut self, now: Duration) -> Step {
        seen(self.0.on_time(now))
    }

    fn status(&self) -> Vec<TypeStatus> {
        self.0.status()
    }
}
