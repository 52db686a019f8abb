//! A mesh goes in, real Envoys load what comes out, requests meet what the mesh says.

mod actions;
mod api_keys;
mod attacks;
mod authorization;
mod balancing;
mod cors;
mod discovery;
mod edits;
mod egress;
mod egress_attacks;
mod egress_policy;
mod evasion;
mod external_auth;
mod failover;
mod faults;
mod faults_off;
mod faults_on_demand;
mod gateway;
mod gateway_listeners;
mod gateway_tls;
mod grpc;
mod header_routing;
mod health;
mod health_protocols;
mod inbound_limits;
mod inbound_timeouts;
mod ip_access;
mod local_ports;
mod locality;
mod logs;
mod mirrors;
mod mutual_tls;
mod native_engines;
mod network_rules;
mod nightjar;
mod observability;
mod outliers;
mod overlays;
mod own_rate_limits;
mod passwords;
mod path_attacks;
mod pools;
mod rate_limits;
mod regular_expressions;
mod retries;
mod retry_words;
mod routes;
mod secrets;
mod service_auth;
mod shares;
mod signatures;
mod sinks;
mod source_rates;
mod stickiness;
mod subsets;
mod tcp;
mod timeouts;
mod tls;
mod tokens;
mod traces;
mod transparent;
mod upgrades;
mod user_filters;
mod wasm_modules;
mod watched_files;
mod world;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::world::Outside;
use ::world::namespace::{self, Interception};
use local::run::RunningInstance;
use local::{Client, Echo, Instance, Options, Placement, Request, Response};
use meshwright::input::{Input, Reading};
use meshwright::launch::{Addresses, Form, Started, start_as};
use meshwright::mesh::ready;
use meshwright::report::Format;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);
/// Of Envoys' own connections, where others are intercepted.
const MARK: u32 = 1337;

/// A mesh on real Envoys, healthy. Ends with the test.
struct Live {
    started: Started,
    outside: Option<Outside>,
    folder: TempDir,
}

/// A mesh that is about to run.
#[must_use]
struct Setup {
    body: String,
    files: BTreeMap<PathBuf, Vec<u8>>,
    outside: Option<Outside>,
    waits: bool,
    intercepts: bool,
    form: Form,
}

/// `ada:lovelace` and `grace:hopper`.
const HTPASSWD: &str = "ada:{SSHA}fjmVeynsAuHB01NAPYekjlGyptFtZXNod3JpZw==\ngrace:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n";

impl Setup {
    /// Puts a file beside the mesh, in which `${folder}` is that folder.
    fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    /// The same for several, such as those of `world::Leaf::files`.
    fn files(mut self, files: BTreeMap<PathBuf, Vec<u8>>) -> Self {
        self.files.extend(files);
        self
    }

    /// What the mesh finds outside of itself.
    fn outside(mut self, outside: Outside) -> Self {
        self.outside = Some(outside);
        self
    }

    /// For meshes of which something is to stay unhealthy.
    fn without_waiting(mut self) -> Self {
        self.waits = false;
        self
    }

    /// Nodes with a `transparent-proxy` get the connections of their applications, once all is healthy: connections
    /// from the node's address, and to its applications. Only inside of `world::namespace::enter`.
    fn intercepted(mut self) -> Self {
        self.intercepts = true;
        self
    }

    /// Envoys read files below `Live::told`, again whenever another one is moved into the place of one.
    fn watched(mut self) -> Self {
        self.form = Form::Watched;
        self
    }

    async fn up(self) -> Live {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mesh.kdl");
        let variables = match self.body.contains("${folder}") {
            true => format!("variables {{ folder \"{}\" }}\n", folder.path().display()),
            false => String::new(),
        };
        std::fs::write(&path, format!("mesh \"live\" {{\n{variables}{}\n}}\n", self.body)).unwrap();
        std::fs::write(folder.path().join("users.htpasswd"), HTPASSWD).unwrap();
        for (path, content) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let input = Input { path: path.to_str().unwrap().to_owned(), reading: Reading::default() };
        let ready = ready(&input, Format::Text).unwrap().expect("the mesh has no mistakes");
        let binary = local::find(None).unwrap_or_else(|error| panic!("{error}"));
        let mut detours = self.outside.as_ref().map(|outside| outside.detours().clone()).unwrap_or_default();
        detours.mark = self.intercepts.then_some(MARK);
        let options = Options { detours, ..Options::new(binary) };
        let started = start_as(self.form, &ready, Addresses::claim().unwrap(), options).await;
        let started = started.unwrap_or_else(|exit| panic!("{:#}", exit.error));
        if self.waits {
            started.running.wait_healthy(PATIENCE).await.unwrap();
        }
        if self.intercepts {
            namespace::intercept(&interceptions(&started.placement));
        }
        Live { started, outside: self.outside, folder }
    }
}

impl Live {
    /// Runs `mesh "live" { … }`.
    async fn up(body: &str) -> Self {
        Self::of(body).up().await
    }

    /// The same with files beside it, in which `${folder}` of the mesh is that folder.
    async fn with(files: BTreeMap<PathBuf, Vec<u8>>, body: &str) -> Self {
        Self::of(body).files(files).up().await
    }

    fn of(body: &str) -> Setup {
        Setup {
            body: body.to_owned(),
            files: BTreeMap::new(),
            outside: None,
            waits: true,
            intercepts: false,
            form: Form::Static,
        }
    }

    fn instance(&self, name: &str) -> &RunningInstance {
        self.started.running.instance(name).unwrap()
    }

    /// To the egress port of a node, or the first port of a gateway.
    fn client(&self, instance: &str) -> Client {
        Client::new(self.instance(instance).instance().entrance())
    }

    /// Where an instance listens on a port of the mesh: one of a gateway's, a `local-port`, the metrics.
    fn at(&self, instance: &str, port: u16) -> SocketAddr {
        self.instance(instance).instance().at(port)
    }

    /// The application at an address of the mesh as written.
    fn workload(&self, endpoint: &str) -> &Echo {
        self.started.running.workload(endpoint).unwrap()
    }

    /// Where the mesh's own files are: `${folder}`.
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What an Envoy is told by files: only with `Setup::watched`.
    fn told(&self, instance: &str) -> PathBuf {
        self.started.running.folder().join(instance).join("xds")
    }

    fn outside(&self) -> &Outside {
        self.outside.as_ref().expect("something was put outside")
    }

    async fn send(&self, instance: &str, request: Request) -> Response {
        self.client(instance).send(&request).await.unwrap()
    }

    /// To any port of the mesh.
    async fn send_to(&self, instance: &str, port: u16, request: Request) -> Response {
        Client::new(self.at(instance, port)).send(&request).await.unwrap()
    }

    /// Many requests, 32 at a time.
    async fn send_many(&self, instance: &str, request: Request, count: usize) -> Vec<Response> {
        let address = self.instance(instance).instance().entrance();
        let answers = local::send_all(address, vec![request; count], 32).await;
        answers.into_iter().map(Result::unwrap).collect()
    }

    /// A counter or a gauge.
    async fn counter(&self, instance: &str, name: &str) -> u64 {
        self.instance(instance).counter(name).await.unwrap()
    }

    /// Waits for a counter or a gauge to become what the predicate accepts.
    async fn wait_for_counter(&self, instance: &str, name: &str, predicate: impl Fn(u64) -> bool) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.counter(instance, name).await;
            if predicate(value) {
                return value;
            }
            assert!(Instant::now() < deadline, "{name} of {instance} is still {value}");
            sleep(POLL).await;
        }
    }

    /// What Envoy was told, as it says itself.
    async fn config_dump(&self, instance: &str) -> Value {
        self.instance(instance).admin().config_dump().await.unwrap()
    }

    /// The first entry of the access log that the predicate accepts.
    async fn wait_for_log(&self, instance: &str, predicate: impl Fn(&Value) -> bool) -> Value {
        self.instance(instance).wait_for_log(predicate, PATIENCE).await.unwrap()
    }

    /// What Envoy itself logged.
    fn log(&self, instance: &str) -> String {
        std::fs::read_to_string(self.instance(instance).log_file()).unwrap()
    }
}

fn interceptions(placement: &Placement) -> Vec<Interception> {
    let of = |instance: &Instance| {
        let port = |purpose| instance.ports.iter().find(|port| port.purpose == purpose).map(|port| port.number);
        let beside = placement.workloads.iter().map(|workload| workload.listen);
        let applications =
            beside.filter(|listen| listen.ip() == instance.address).map(|listen| listen.port()).collect();
        Interception {
            address: instance.address,
            inbound: port("intercepted ingress").map(|to| (applications, to)),
            outbound: port("intercepted egress"),
            mark: MARK,
        }
    };
    placement.instances.iter().map(of).collect()
}

/// Which service's workload answered; panics when none did.
#[track_caller]
fn service(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    response.json().unwrap()["service"].as_str().unwrap().to_owned()
}

#[track_caller]
fn node(response: &Response) -> String {
    response.json().unwrap()["node"].as_str().unwrap().to_owned()
}

/// The values with which a header reached the workload.
#[track_caller]
fn received(response: &Response, header: &str) -> Vec<String> {
    let body = response.json().unwrap();
    let values = body["headers"].get(header).and_then(|values| values.as_array().cloned()).unwrap_or_default();
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}
