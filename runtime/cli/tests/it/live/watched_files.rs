//! Envoys that are told by files learn what changes, without losing a request.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local::echo::{self, Identity, Tries};
use local::{Client, Echo, Request};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use world::namespace;

use super::{Live, PATIENCE, POLL, service};
use crate::cli::{meshwright, text};

const MESH: &str = r#"
    service "beta.svc" { endpoint "10.0.0.1:3000"; }
    service "next.svc" { endpoint "10.0.0.2:3000"; }
    node "alpha" calls="*"
"#;

/// Moves a changed file of `alpha` into its place, as Envoy asks for it.
fn change(live: &Live, file: &str, from: &str, what: &str, by: &str) {
    let text = std::fs::read_to_string(live.told("alpha").join(from)).unwrap();
    assert!(text.contains(what), "{from} does not say {what}");
    let beside = live.told("alpha").join("next.yaml");
    std::fs::write(&beside, text.replace(what, by)).unwrap();
    std::fs::rename(beside, live.told("alpha").join(file)).unwrap();
}

async fn becomes(live: &Live, name: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    while service(&live.send("alpha", Request::get("/").host(name)).await) != expected {
        assert!(Instant::now() < deadline, "{name} never leads to {expected}");
        sleep(POLL).await;
    }
}

/// Some who send one request after the other, until they are asked how it went.
struct Callers {
    ended: Arc<AtomicBool>,
    each: Vec<JoinHandle<Vec<u16>>>,
}

impl Callers {
    fn of(address: SocketAddr, host: &'static str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let caller = |ended: Arc<AtomicBool>| async move {
            let (mut client, mut statuses) = (Client::new(address), Vec::new());
            while !ended.load(Ordering::Relaxed) {
                let request = Request::get("/").host(host).header("x-echo-delay", "20");
                statuses.push(client.send(&request).await.map_or(0, |answer| answer.status));
            }
            statuses
        };
        let each = (0..4).map(|_| tokio::spawn(caller(Arc::clone(&ended)))).collect();
        Self { ended, each }
    }

    async fn lost_nothing(self) {
        self.ended.store(true, Ordering::Relaxed);
        for caller in self.each {
            let statuses = caller.await.unwrap();
            assert!(!statuses.is_empty() && statuses.iter().all(|status| *status == 200), "{statuses:?}");
        }
    }
}

#[tokio::test]
async fn endpoints_move_without_a_lost_request() {
    let live = Live::of(MESH).watched().up().await;
    let address = live.instance("alpha").instance().entrance();
    let callers = Callers::of(address, "beta.svc");
    becomes(&live, "beta.svc", "beta.svc").await;
    change(&live, "eds/beta.svc.yaml", "eds/next.svc.yaml", "next.svc", "beta.svc");
    becomes(&live, "beta.svc", "next.svc").await;
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(500) {
        becomes(&live, "beta.svc", "next.svc").await;
    }
    callers.lost_nothing().await;
}

#[tokio::test]
async fn routes_change_and_a_mistake_changes_nothing() {
    let live = Live::of(MESH).watched().up().await;
    let file = "rds/egress_route.yaml";
    change(&live, file, file, "cluster: beta.svc", "cluster: [");
    live.wait_for_counter("alpha", "http.egress_route_http.rds.egress_route.update_failure", |count| count > 0).await;
    assert_eq!(service(&live.send("alpha", Request::get("/").host("beta.svc")).await), "beta.svc");
    change(&live, file, file, "cluster: [", "cluster: next.svc");
    becomes(&live, "beta.svc", "next.svc").await;
}

async fn serve(address: &str) -> Echo {
    let identity = Identity { node: None, service: address.to_owned(), endpoint: address.to_owned() };
    echo::serve(TcpListener::bind(address).await.unwrap(), identity, Tries::default()).unwrap()
}

/// What whoever operates Envoys does with a mesh that changed.
fn compile(folder: &Path, services: &str) {
    let mesh = format!("mesh \"live\" {{\n{services}\nnode \"alpha\" calls=\"*\"\n}}\n");
    std::fs::write(folder.join("mesh.kdl"), mesh).unwrap();
    let output = meshwright(folder, &["compile", "mesh.kdl", "--emit", "files", "--config-folder", ".", "-o", "."]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// The egress port's answer: its status, and who gave it.
async fn answered(host: &str) -> (u16, String) {
    let mut client = Client::new(SocketAddr::from(([127, 0, 0, 1], 4000)));
    match client.send(&Request::get("/").host(host)).await {
        Ok(answer) if answer.status == 200 => (200, service(&answer)),
        Ok(answer) => (answer.status, String::new()),
        Err(_) => (0, String::new()),
    }
}

async fn is_answered(host: &str, expected: (u16, &str)) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, by) = answered(host).await;
        if (status, by.as_str()) == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{host}: still {status} {by}");
        sleep(POLL).await;
    }
}

#[test]
fn compiling_again_tells_an_envoy_that_runs() {
    if !namespace::enter("live::watched_files::compiling_again_tells_an_envoy_that_runs") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let [one, other, new] = ["127.1.0.1:3000", "127.1.0.2:3000", "127.1.0.3:3000"];
        let _servers = (serve(one).await, serve(other).await, serve(new).await);
        let folder = tempfile::tempdir().unwrap();
        let beta = |endpoint: &str| format!("service \"beta.svc\" {{ endpoint \"{endpoint}\"; }}\n");
        compile(folder.path(), &beta(one));
        let binary = local::find(None).unwrap();
        let mut envoy = Command::new(binary.path());
        envoy.args(["-c", "alpha/envoy.yaml", "--use-dynamic-base-id", "--log-level", "error"]);
        let _envoy = envoy.current_dir(folder.path()).stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        is_answered("beta.svc", (200, one)).await;
        assert_eq!(answered("gamma.svc").await.0, 404);

        let callers = Callers::of(SocketAddr::from(([127, 0, 0, 1], 4000)), "beta.svc");
        let gamma = format!("service \"gamma.svc\" {{ endpoint \"{new}\"; }}\n");
        for _ in 0..5 {
            compile(folder.path(), &format!("{}{gamma}", beta(other)));
            is_answered("gamma.svc", (200, new)).await;
            is_answered("beta.svc", (200, other)).await;
            compile(folder.path(), &beta(one));
            is_answered("gamma.svc", (404, "")).await;
            is_answered("beta.svc", (200, one)).await;
        }
        callers.lost_nothing().await;
    });
}
