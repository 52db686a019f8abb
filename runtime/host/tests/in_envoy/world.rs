//! One real Envoy with an echo behind it, stopped when the test is done with it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::echo::{self, Echo, Identity, Tries};
use local::process::{EnvoyRun, Supervised, supervise};
use local::subnet::Claim;
use local::{Admin, Subnet};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

use crate::bootstrap::{ADMIN_PORT, MODULES, Plugin, bootstrap, port};

const LOG: &str = "envoy.log";

/// The tests themselves block: some send what no client would, and look at the clock.
pub(crate) struct World {
    runtime: Runtime,
    names: Vec<String>,
    address: Ipv4Addr,
    envoy: Option<Supervised>,
    _echo: Echo,
    folder: TempDir,
    _claim: Claim,
}

impl World {
    /// Starts Envoy with a listener for each plugin, and waits until it is ready.
    pub(crate) fn start(plugins: &[Plugin]) -> World {
        let runtime = Runtime::new().expect("threads can be started");
        let claim = Subnet::claim().expect("a free range");
        let address = claim.subnet().addresses().next().expect("an address");
        let folder = TempDir::new().expect("a temporary folder");
        let (envoy, echo) = runtime.block_on(async {
            let upstream = TcpListener::bind((address, 0)).await.expect("a free port");
            let identity = Identity { node: None, service: "echo".to_owned(), endpoint: "echo".to_owned() };
            let echo = echo::serve(upstream, identity, Tries::default()).expect("a bound socket");
            let config = write(folder.path(), address, plugins, echo.address());
            (run(folder.path(), config, address).await, echo)
        });
        let names = plugins.iter().map(|plugin| plugin.name.clone()).collect();
        World { runtime, names, address, envoy: Some(envoy), _echo: echo, folder, _claim: claim }
    }

    /// Where the listener of a plugin is.
    pub(crate) fn listener(&self, name: &str) -> SocketAddr {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no listener {name}"));
        SocketAddr::new(self.address.into(), port(index))
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Envoy's process.
    #[allow(dead_code, reason = "for the soak")]
    pub(crate) fn pid(&self) -> Option<u32> {
        self.envoy.as_ref().and_then(Supervised::pid)
    }

    /// What Envoy has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).expect("Envoy has a log")
    }

    /// What the administration interface says.
    pub(crate) fn admin(&self, path: &str) -> String {
        let response = self.block_on(admin(self.address).get(path));
        response.expect("the administration interface answers").text().into_owned()
    }
}

/// What Envoy says of a configuration that it must not accept.
pub(crate) fn refusal(plugins: &[Plugin]) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let config = write(folder.path(), Ipv4Addr::LOCALHOST, plugins, nowhere);
    let runtime = Runtime::new().expect("threads can be started");
    let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
    let report = runtime.block_on(envoy.validate(&config, folder.path())).expect("Envoy runs");
    assert!(!report.accepted, "Envoy accepts the configuration");
    [report.problems, report.warnings].concat().join("\n")
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(envoy) = self.envoy.take() {
            self.runtime.block_on(envoy.stop(Duration::from_secs(5)));
        }
    }
}

fn admin(address: Ipv4Addr) -> Admin {
    Admin::new(SocketAddr::new(address.into(), ADMIN_PORT))
}

/// Writes the modules and the configuration that loads them; where that is.
fn write(folder: &Path, address: Ipv4Addr, plugins: &[Plugin], upstream: SocketAddr) -> PathBuf {
    for (name, bytes) in MODULES {
        fs::write(folder.join(name), bytes).expect("the folder is writable");
    }
    let config = folder.join("envoy.json");
    let text = bootstrap(address, plugins, upstream, folder).to_string();
    fs::write(&config, text).expect("the folder is writable");
    config
}

async fn run(folder: &Path, config: PathBuf, address: Ipv4Addr) -> Supervised {
    let run = EnvoyRun {
        name: "test".to_owned(),
        binary: local::find(None).unwrap_or_else(|error| panic!("{error}")),
        config,
        folder: folder.to_owned(),
        log: folder.join(LOG),
        access_log: folder.join("access.log"),
        log_level: "warning".to_owned(),
        workers: 1,
        admin: admin(address),
        ready_within: Duration::from_secs(60),
    };
    let (events, _) = broadcast::channel(16);
    supervise(run, events).await.unwrap_or_else(|error| panic!("{error}"))
}
