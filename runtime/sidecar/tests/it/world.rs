//! A mesh of one node that calls a service, on loopback: the service, the node's bootstrap folder, control planes, and a
//! sidecar that is a process.

mod control_plane;
mod load;
mod mesh;
mod process;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use local::echo::{self, Identity, Tries};
use local::{Admin, Claim, Client, ClientError, Echo, Request, Response, Subnet};
use meshwright_sidecar::plan::{BUNDLE, ENVOY, PLAN};
use meshwright_sidecar::{LastGood, Plan, keep};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

pub(crate) use control_plane::{ControlPlane, Tls};
pub(crate) use load::Load;
pub(crate) use mesh::Meshes;
pub(crate) use process::{Exit, Sidecar, children_of, exists, kill, state};

pub(crate) use compiler::emit::ads::Variant;

pub(crate) const SERVICE: &str = "gamma.svc";
pub(crate) const NODE: &str = "beta";

/// Everything but the sidecar and its control planes.
pub(crate) struct World {
    pub(crate) meshes: Meshes,
    pub(crate) folder: TempDir,
    pub(crate) echoes: Vec<Echo>,
    pub(crate) address: IpAddr,
    subnet: Subnet,
    _claim: Claim,
}

impl World {
    pub(crate) async fn new(variant: Variant) -> Self {
        let claim = Subnet::claim().expect("a range of loopback");
        let subnet = claim.subnet();
        let meshes = Meshes::new(subnet);
        let folder = tempfile::tempdir().expect("a folder");
        let mut echoes = Vec::new();
        for application in &meshes.applications {
            let listener = TcpListener::bind(application).await.expect("the application's address is free");
            let identity = Identity { node: None, service: SERVICE.to_owned(), endpoint: application.to_string() };
            echoes.push(echo::serve(listener, identity, Tries::default()).expect("an application"));
        }
        let address = meshes.address;
        let world = Self { meshes, folder, echoes, address, subnet, _claim: claim };
        world.write(&world.meshes.bootstrap(variant));
        world
    }

    fn write(&self, envoy: &str) {
        std::fs::write(self.folder.path().join(ENVOY), envoy).expect("a bootstrap");
        let plan = Plan {
            proxy: NODE.to_owned(),
            admin: self.admin().address(),
            socket: Some("xds.sock".to_owned()),
            control_planes: Vec::new(),
            tls: None,
        };
        std::fs::write(self.folder.path().join(PLAN), plan.text()).expect("a plan");
    }

    /// What continuous integration would have put into the image.
    pub(crate) fn bundle(&self, header: &str) {
        let bundle = LastGood::bundle(&self.meshes.snapshot(header), NODE).expect("the node is in the mesh");
        keep::save(&bundle, &self.folder.path().join(BUNDLE)).expect("a bundle");
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state").join(format!("{NODE}.last-good"))
    }

    /// An address for a control plane, which may come later, or again.
    pub(crate) fn control_plane_address(&self, index: usize) -> SocketAddr {
        let address = self.subnet.addresses().nth(100 + index).expect("the range has room");
        SocketAddr::new(address.into(), 18000)
    }

    pub(crate) fn health(&self) -> SocketAddr {
        SocketAddr::new(self.address, 9902)
    }

    pub(crate) fn admin(&self) -> Admin {
        Admin::new(SocketAddr::new(self.address, 9901))
    }

    /// Where Envoy takes requests for the service.
    pub(crate) fn egress(&self) -> SocketAddr {
        SocketAddr::new(self.address, 4000)
    }

    /// Requests that reached an application.
    pub(crate) fn received(&self) -> usize {
        self.echoes.iter().map(Echo::received_count).sum()
    }

    pub(crate) async fn get(&self) -> Result<Response, ClientError> {
        Client::new(self.egress()).timeout(Duration::from_secs(2)).send(&request()).await
    }

    /// Until a request is answered, by an Envoy that was told this header. Returns how long it took.
    #[track_caller]
    pub(crate) fn answers(&self, header: &str, within: Duration) -> impl Future<Output = Duration> {
        let begun = Instant::now();
        let place = std::panic::Location::caller();
        async move {
            let mut last = String::new();
            while begun.elapsed() < within {
                match self.get().await {
                    Ok(response) if response.header(HEADER).as_deref() == Some(header) && response.status == 200 => {
                        return begun.elapsed();
                    }
                    Ok(response) => last = format!("{} {:?}", response.status, response.header(HEADER)),
                    Err(error) => last = error.to_string(),
                }
                sleep(Duration::from_millis(5)).await;
            }
            panic!("{place}: no answer with `{header}` within {within:?}; the last was: {last}");
        }
    }

    /// What `/readyz` says: status and text.
    pub(crate) async fn ready(&self) -> Option<(u16, String)> {
        let response = Client::new(self.health()).timeout(Duration::from_secs(3)).send(&Request::get("/readyz")).await;
        response.ok().map(|response| (response.status, response.text().trim().to_owned()))
    }

    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let response = Client::new(self.health()).send(&Request::get("/metrics")).await.ok()?;
        let text = response.text().into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    }
}

/// The header that tells versions of the mesh apart.
pub(crate) const HEADER: &str = "x-version";

pub(crate) fn request() -> Request {
    Request::get("/").host(SERVICE)
}

/// Until it is so; `what` says what was waited for.
#[track_caller]
pub(crate) fn until<F: Future<Output = bool>>(
    what: &str,
    within: Duration,
    mut so: impl FnMut() -> F,
) -> impl Future<Output = Duration> {
    let begun = Instant::now();
    let place = std::panic::Location::caller();
    async move {
        while !so().await {
            assert!(begun.elapsed() < within, "{place}: not within {within:?}: {what}");
            sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    }
}
