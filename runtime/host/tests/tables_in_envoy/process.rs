//! One real Envoy, stopped when the test is done with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::Value;
use tempfile::TempDir;

use crate::wire;

pub(crate) struct Envoy {
    process: Child,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
    _folder: TempDir,
}

impl Envoy {
    /// Starts Envoy and waits until it is ready. The configuration may use files in the folder.
    pub(crate) fn start(bootstrap: impl FnOnce(&Path) -> Value) -> Envoy {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("bootstrap.json");
        fs::write(&config, bootstrap(folder.path()).to_string()).expect("a writable folder");
        let (admin_file, log) = (folder.path().join("admin"), folder.path().join("log"));
        let mut process = Command::new(binary())
            .arg("-c")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .arg("--log-path")
            .arg(&log)
            .args(["--log-level", "warn", "--concurrency", "1", "--disable-hot-restart"])
            .spawn()
            .expect("Envoy starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        let admin = loop {
            if let Some(admin) = ready(&admin_file) {
                break admin;
            }
            let exited = process.try_wait().expect("Envoy is our child");
            if exited.is_some() || Instant::now() > deadline {
                // Its end is awaited below; a second kill of an exited process does no harm.
                let _ = process.kill();
                panic!("Envoy: {exited:?}\n{}", fs::read_to_string(&log).unwrap_or_default());
            }
            thread::sleep(Duration::from_millis(20));
        };
        let listeners = listeners(admin);
        Envoy { process, admin, listeners, _folder: folder }
    }

    /// The log of an Envoy that must not accept its configuration.
    pub(crate) fn refuse(bootstrap: impl FnOnce(&Path) -> Value) -> String {
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("bootstrap.json");
        fs::write(&config, bootstrap(folder.path()).to_string()).expect("a writable folder");
        let output = Command::new(binary()).arg("-c").arg(&config).args(["--mode", "validate"]).output();
        let output = output.expect("Envoy starts");
        assert!(!output.status.success(), "Envoy accepts the configuration");
        let log = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&log).into_owned()
    }

    pub(crate) fn listener(&self, name: &str) -> SocketAddr {
        *self.listeners.get(name).unwrap_or_else(|| panic!("no listener {name}"))
    }

    /// What the administration interface says.
    pub(crate) fn admin(&self, path: &str) -> String {
        get(self.admin, path).expect("the administration interface answers")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Failures mean that it has already gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Envoy's administration address, once every listener is ready.
fn ready(admin_file: &Path) -> Option<SocketAddr> {
    let admin = fs::read_to_string(admin_file).ok()?.trim().parse().ok()?;
    (get(admin, "/ready")?.trim() == "LIVE").then_some(admin)
}

fn listeners(admin: SocketAddr) -> BTreeMap<String, SocketAddr> {
    let text = get(admin, "/listeners?format=json").expect("Envoy is ready");
    let listed: Value = serde_json::from_str(&text).expect("Envoy answers with JSON");
    let statuses = listed["listener_statuses"].as_array().expect("a list");
    let entry = |status: &Value| {
        let address = &status["local_address"]["socket_address"];
        let port = address["port_value"].as_u64().and_then(|port| u16::try_from(port).ok());
        let name = status["name"].as_str().expect("a name").to_owned();
        (name, SocketAddr::from(([127, 0, 0, 1], port.expect("a port"))))
    };
    statuses.iter().map(entry).collect()
}

fn get(admin: SocketAddr, path: &str) -> Option<String> {
    std::net::TcpStream::connect(admin).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    let response = wire::receive(wire::send(admin, request.as_bytes()));
    let body = if response.header("transfer-encoding").is_some() { unchunked(&response.body) } else { response.body };
    Some(String::from_utf8_lossy(&body).into_owned())
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some((size, rest)) = wire::split(body, b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(size), 16).expect("a chunk's size");
        whole.extend(&rest[..size]);
        body = rest.get(size + 2..).unwrap_or_default();
        if size == 0 {
            break;
        }
    }
    whole
}

/// `ENVOY`, else on the path, else where `make` installs it.
fn binary() -> PathBuf {
    if let Some(named) = env::var_os("ENVOY") {
        return named.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = env::split_paths(&path).map(|dir| dir.join("envoy")).find(|f| f.is_file()) {
        return found;
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace");
    let versions = fs::read_dir(workspace.join("target/venv/lib"));
    let installed =
        versions.into_iter().flatten().flatten().map(|version| version.path().join("site-packages/envoy/_bin/envoy"));
    let found = installed.into_iter().find(|file| file.is_file());
    found.expect("Envoy is named by ENVOY, on the PATH, or in target/venv")
}
