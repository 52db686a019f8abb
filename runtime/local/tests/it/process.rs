//! Envoys that die, cannot start, are stopped, or lose their parent.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use meshwright_local::{
    Claim, Client, EventKind, Instance, InstanceKind, InstancePlan, Options, Plan, Port, Request, RunFolder, Running,
    StartError, Subnet, start,
};
use rustix::process::{Pid, Signal, kill_process};
use spec::Name;
use tokio::time::timeout;

use crate::world::{PATIENCE, envoy, is_running, static_answer, wait_until};

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn plan(address: IpAddr, config: String) -> Plan {
    let ports = [(4000, "egress"), (4100, "ingress"), (9901, "administration"), (15090, "metrics")];
    let instance = Instance {
        name: name("beta"),
        origin: name("beta"),
        kind: InstanceKind::Node,
        address,
        original: None,
        ports: ports.map(|(number, purpose)| Port { number, purpose }).to_vec(),
    };
    Plan { instances: vec![InstancePlan { instance, config }], files: BTreeMap::new(), workloads: Vec::new() }
}

/// One Envoy that answers `hello`, and where.
async fn hello() -> (Running, SocketAddr) {
    let claim = Subnet::claim().expect("a free range");
    let address = IpAddr::V4(claim.subnet().addresses().next().expect("an address"));
    let plan = plan(address, static_answer(&address.to_string(), "hello"));
    let options = Options { claim: Some(claim), ..Options::new(envoy()) };
    let running = start(plan, options).await.expect("Envoy starts");
    (running, SocketAddr::new(address, 4100))
}

async fn refusal(claim: Claim, address: IpAddr, config: String) -> StartError {
    let options = Options { claim: Some(claim), ..Options::new(envoy()) };
    start(plan(address, config), options).await.expect_err("it cannot start")
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).expect("an id")).expect("an id");
    kill_process(pid, Signal::KILL).expect("a process of our own");
}

#[tokio::test]
async fn a_started_envoy_answers_counts_and_logs() {
    let (running, address) = hello().await;
    let response = Client::new(address).send(&Request::get("/seen")).await.expect("an answer");
    assert_eq!((response.status, response.text().as_ref()), (200, "hello"));
    let beta = running.instance("beta").expect("an instance");
    let entry = beta.wait_for_log(|entry| entry["path"] == "/seen", PATIENCE).await.expect("an entry");
    assert_eq!(entry["status"], 200);
    assert_eq!(beta.access_log().expect("a log").len(), 1);
    assert_eq!(beta.counter("http.answer.downstream_rq_2xx").await.expect("a counter"), 1);
    assert_eq!(beta.counter("http.answer.no_such_thing").await.expect("a counter"), 0);
    assert!(running.instance("gamma").is_err());
    running.stop().await;
}

#[tokio::test]
async fn a_killed_envoy_comes_back_and_both_are_told() {
    let (running, address) = hello().await;
    let mut events = running.events();
    let pid = running.instance("beta").expect("an instance").pid().expect("a process");
    kill(pid);
    let died = timeout(PATIENCE, events.recv()).await.expect("in time").expect("an event");
    assert_eq!(died.instance, "beta");
    assert!(matches!(&died.kind, EventKind::Died { status } if status.contains("9")), "{died:?}");
    let restarted = timeout(PATIENCE, events.recv()).await.expect("in time").expect("an event");
    let new = running.instance("beta").expect("an instance").pid().expect("a process");
    assert_eq!(restarted.kind, EventKind::Restarted { pid: new });
    assert_ne!(new, pid);
    let response = Client::new(address).send(&Request::get("/")).await.expect("an answer");
    assert_eq!(response.text(), "hello");
    running.stop().await;
    assert!(!is_running(new));
}

#[tokio::test]
async fn an_envoy_that_cannot_come_back_is_given_up() {
    let (running, address) = hello().await;
    let mut events = running.events();
    let beta = running.instance("beta").expect("an instance");
    std::fs::write(beta.config_file(), "not: a configuration").expect("a writable file");
    kill(beta.pid().expect("a process"));
    let kind = loop {
        let event = timeout(PATIENCE, events.recv()).await.expect("in time").expect("an event");
        if !matches!(event.kind, EventKind::Died { .. }) {
            break event.kind;
        }
    };
    assert!(matches!(&kind, EventKind::GaveUp { reason } if reason.contains("has unknown fields")), "{kind:?}");
    assert_eq!(beta.pid(), None);
    assert!(Client::new(address).send(&Request::get("/")).await.is_err());
    running.stop().await;
}

#[tokio::test]
async fn stopping_leaves_no_process_and_no_folder() {
    let (running, _) = hello().await;
    let pid = running.instance("beta").expect("an instance").pid().expect("a process");
    let folder = running.folder().to_owned();
    assert!(is_running(pid) && folder.exists());
    running.stop().await;
    assert!(!is_running(pid));
    assert!(!folder.exists());
}

#[tokio::test]
async fn dropping_a_run_kills_its_envoys() {
    let (running, _) = hello().await;
    let pid = running.instance("beta").expect("an instance").pid().expect("a process");
    drop(running);
    tokio::task::spawn_blocking(move || wait_until("the end of Envoy", || !is_running(pid))).await.expect("it ends");
}

#[tokio::test]
async fn a_named_run_folder_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let claim = Subnet::claim().expect("a free range");
    let address = IpAddr::V4(claim.subnet().addresses().next().expect("an address"));
    let mut plan = plan(address, static_answer(&address.to_string(), "hello"));
    plan.files.insert(Path::new("filters/a.wasm").to_owned(), b"bytes".to_vec());
    let at = RunFolder::At(folder.path().join("run"));
    let running =
        start(plan, Options { folder: at, claim: Some(claim), ..Options::new(envoy()) }).await.expect("Envoy starts");
    running.stop().await;
    assert_eq!(std::fs::read(folder.path().join("run/filters/a.wasm")).expect("a file"), b"bytes");
    let log = std::fs::read_to_string(folder.path().join("run/instances/beta/envoy.log")).expect("a log");
    assert!(log.contains("starting main dispatch loop"), "{log}");
}

#[tokio::test]
async fn a_file_outside_the_run_folder_is_refused() {
    let mut plan = plan(IpAddr::from([127, 0, 0, 1]), String::new());
    plan.instances.clear();
    plan.files.insert(Path::new("../escaped").to_owned(), Vec::new());
    let error = start(plan, Options::new(envoy())).await.expect_err("refused");
    assert_eq!(error.to_string(), "`../escaped` is not a path inside the run folder");
}

#[tokio::test]
async fn a_taken_address_is_named_with_who_wanted_it() {
    let claim = Subnet::claim().expect("a free range");
    let address = IpAddr::V4(claim.subnet().addresses().next().expect("an address"));
    let _holder = TcpListener::bind((address, 4000)).expect("a free port");
    let error = refusal(claim, address, static_answer(&address.to_string(), "hello")).await.to_string();
    let expected = format!("`beta` (egress) cannot listen on {address}:4000: Address already in use");
    assert!(error.starts_with(&expected), "{error}");
}

#[tokio::test]
async fn a_bad_configuration_is_told_with_the_end_of_the_log() {
    let claim = Subnet::claim().expect("a free range");
    let address = IpAddr::V4(claim.subnet().addresses().next().expect("an address"));
    let error = refusal(claim, address, "static_resources: { listners: [] }".to_owned()).await;
    let StartError::Envoy { instance, source } = error else { panic!("another error: {error}") };
    assert_eq!(instance, "beta");
    assert!(source.to_string().contains("listners"), "{source}");
}

#[tokio::test]
async fn an_envoy_that_does_not_get_ready_is_an_error() {
    let claim = Subnet::claim().expect("a free range");
    let address = IpAddr::V4(claim.subnet().addresses().next().expect("an address"));
    // Its administration is elsewhere than where it is asked for.
    let config = static_answer(&address.to_string(), "hello").replace("port_value: 9901", "port_value: 0");
    let options = Options { claim: Some(claim), ready_within: Duration::from_millis(500), ..Options::new(envoy()) };
    let error = start(plan(address, config), options).await.expect_err("not ready");
    assert!(error.to_string().contains("not ready within 500ms"), "{error}");
}

#[tokio::test]
async fn a_run_may_begin_while_the_one_before_is_still_dying() {
    for _ in 0..3 {
        let (running, address) = hello().await;
        let response = Client::new(address).send(&Request::get("/")).await.expect("an answer");
        assert_eq!(response.text(), "hello");
        drop(running);
    }
}

/// The example program starts an Envoy, prints its process id and waits; it is killed without any chance to clean up.
#[test]
fn an_envoy_never_outlives_its_parent() {
    let program = std::env::current_exe().expect("a path");
    let target = program.ancestors().nth(2).expect("the folder of the build");
    let mut parent = Command::new(target.join("examples/hold"))
        .env("ENVOY", envoy().path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example is built with the tests");
    let mut line = String::new();
    let output = parent.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let pid: u32 = line.trim().parse().expect("a process id");
    assert!(is_running(pid));
    parent.kill().expect("a running parent");
    parent.wait().expect("an ended parent");
    wait_until("the end of Envoy", || !is_running(pid));
}
