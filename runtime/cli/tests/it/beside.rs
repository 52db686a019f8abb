//! `bootstrap` and `sidecar`: a folder for a task's image, and what runs from it.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use local::{Client, Request, Subnet};

use crate::cli::{code, meshwright, project, text};

const MESH: &str = r#"mesh "beside" {
    service "beta.svc" {
        endpoint "10.0.0.1:3000"
        response-headers { set "x-by" value="beside" }
        header-routing { rule to="canary.svc" { header "x-canary" exact="on" } }
    }
    service "canary.svc" { endpoint "10.0.0.2:3000" }
    service "prices.svc" { endpoint "10.0.0.3:3000"; protocol "grpc"; }
    node "caller" calls="beta.svc"
    node "batch" proxyless=#true calls="prices.svc"
    gateway "front" listen=8080 { host "front.example" { route path-prefix="/" { to "beta.svc" } } }
}
"#;

fn mesh(folder: &Path) -> String {
    let path = folder.join("mesh.kdl");
    std::fs::write(&path, MESH).expect("a file");
    path.to_str().expect("text").to_owned()
}

fn bootstrap(folder: &Path, node: &str, more: &[&str]) -> std::process::Output {
    let mesh = mesh(folder);
    let out = folder.join("out");
    let out = out.to_str().expect("text");
    let fixed = ["bootstrap", &mesh, "--node", node, "--xds", "127.0.0.1:18000,[::1]:18000", "-o", out];
    meshwright(folder, &[&fixed, more].concat())
}

#[test]
fn everything_that_a_task_starts_with_is_written_and_the_same_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = bootstrap(folder.path(), "Caller", &[]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    for file in ["envoy.yaml", "fallback.yaml", "last-good.snapshot", "sidecar.json"] {
        assert!(folder.path().join("out").join(file).is_file(), "{file}");
    }
    let mode = |file: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        folder.path().join("out").join(file).metadata().expect("a file").permissions().mode() & 0o777
    };
    assert_eq!(["envoy.yaml", "sidecar.json"].map(mode), [0o644; 2]);
    assert_eq!(["fallback.yaml", "last-good.snapshot"].map(mode), [0o600; 2], "they hold hashes of passwords");
    let again = bootstrap(folder.path(), "caller", &[]);
    let said = text(&again.stdout);
    assert!(said.lines().count() >= 5 && said.lines().all(|line| line.starts_with("same ")), "{said}");
}

#[test]
fn envoy_takes_the_bootstrap_and_the_fallback() {
    let envoy = local::find(None).expect("an Envoy");
    for more in [&[][..], &["--socket", "xds.sock"], &["--socket", "127.0.0.1:18002", "--variant", "sotw"]] {
        let folder = tempfile::tempdir().expect("a folder");
        for node in ["caller", "front"] {
            let output = bootstrap(folder.path(), node, more);
            assert_eq!(code(&output), 0, "{}", text(&output.stderr));
            for file in ["envoy.yaml", "fallback.yaml"] {
                let mut command = Command::new(envoy.path());
                command.args(["--mode", "validate", "--disable-hot-restart", "-c", file]);
                let validated = command.current_dir(folder.path().join("out")).output().expect("Envoy runs");
                let said = text(&validated.stderr);
                assert!(validated.status.success(), "{node}/{file} {more:?}: {said}");
                assert!(!said.contains("eprecated"), "{node}/{file}: {said}");
            }
        }
    }
}

#[test]
fn an_application_without_a_sidecar_starts_from_a_file_of_grpc() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = bootstrap(folder.path(), "batch", &[]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let files = std::fs::read_dir(folder.path().join("out")).expect("a folder");
    let names: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(names, ["grpc-xds.json"]);
    let json = std::fs::read_to_string(folder.path().join("out/grpc-xds.json")).expect("a file");
    assert!(json.contains("\"id\": \"batch\"") && json.contains("\"server_uri\": \"[::1]:18000\""), "{json}");
}

#[test]
fn a_node_that_is_not_there_is_told_with_those_that_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = bootstrap(folder.path(), "callr", &[]);
    assert_eq!(code(&output), 64);
    let said = text(&output.stderr);
    assert!(said.contains("`callr`") && said.contains("`caller`, `front`"), "{said}");
}

#[test]
fn a_sidecar_refuses_a_bootstrap_that_does_not_ask_it() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(code(&bootstrap(folder.path(), "caller", &[])), 0);
    let output = meshwright(folder.path(), &["sidecar", "--bootstrap", "out"]);
    assert_eq!(code(&output), 64);
    assert!(text(&output.stderr).contains("meshwright bootstrap --socket PATH"), "{}", text(&output.stderr));
}

#[test]
fn a_folder_without_a_bootstrap_is_an_input_that_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = meshwright(folder.path(), &["sidecar", "--bootstrap", "."]);
    assert_eq!(code(&output), 74);
    assert!(text(&output.stderr).contains("sidecar.json"), "{}", text(&output.stderr));
}

/// Killed when it is dropped.
struct Running(Child);

impl Running {
    fn start(folder: &Path, health: SocketAddr, log: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
        command.args(["sidecar", "--bootstrap", "out", "--health", &health.to_string()]);
        command.args(["--", "--concurrency", "1", "--log-level", "warn"]).current_dir(folder).process_group(0);
        let log = std::fs::File::create(log).expect("a log");
        command.env("ENVOY", local::find(None).expect("an Envoy").path()).env_remove("STATE_DIRECTORY");
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The bundle holds what the mesh says, filters and their module too.
#[tokio::test]
async fn an_envoy_serves_the_mesh_from_its_bundle_while_no_control_plane_is_there() {
    let claim = Subnet::claim().expect("a range");
    let IpAddr::V4(first) = IpAddr::from(claim.subnet().addresses().next().expect("an address")) else {
        unreachable!()
    };
    let [a, b, c, _] = first.octets();
    let range = format!("{a}.{b}.{c}.0/24");
    let folder = tempfile::tempdir().expect("a folder");
    let output = bootstrap(folder.path(), "front", &["--socket", "xds.sock", &format!("--local={range}")]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));

    // Where the service and the canary would be: nobody, so the gateway answers 503 by itself, with its headers.
    let plan = std::fs::read_to_string(folder.path().join("out/sidecar.json")).expect("a plan");
    let plan: serde_json::Value = serde_json::from_str(&plan).expect("JSON");
    let admin: SocketAddr = plan["admin"].as_str().expect("an address").parse().expect("an address");
    let address: IpAddr = admin.ip();
    let log: PathBuf = folder.path().join("log");
    let running = Running::start(folder.path(), SocketAddr::new(address, 9902), &log);
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(20);
    let response = loop {
        let mut client = Client::new(SocketAddr::new(address, 8080)).timeout(Duration::from_secs(2));
        match client.send(&Request::get("/").host("front.example")).await {
            Ok(response) => break response,
            Err(error) => {
                assert!(Instant::now() < deadline, "{error}\n{}", std::fs::read_to_string(&log).unwrap_or_default())
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((response.status, response.header("x-by").as_deref()), (503, Some("beside")));
    let health = meshwright(&project(), &["sidecar", "health", "--health", &format!("{address}:9902")]);
    assert_eq!(code(&health), 0, "{}", text(&health.stderr));
    assert_eq!(text(&health.stdout).trim(), "ready, stale: last good from the bundle");
    drop(running);
}
