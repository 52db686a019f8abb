//! `meshwright up` as a person runs it: starts, says what listens, survives a dead Envoy, leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

struct Up {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Up {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mesh = r#"mesh "tiny" {
            service "beta.svc" { endpoint "10.0.0.1:3000"; health-check path="/healthz" interval="1s" }
            node "alpha" calls="beta.svc"
            node "beta" serves="beta.svc"
        }"#;
        std::fs::write(folder.path().join("mesh.kdl"), mesh).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshwright"))
            .args(["up", folder.path().join("mesh.kdl").to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr, _folder: folder }
    }

    /// Waits for the last line of what it prints when all is up; returns everything before.
    fn ready(&self) -> String {
        let mut seen = String::new();
        loop {
            let line = self
                .stdout
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("not up: {seen}{}", self.stderr.try_iter().collect::<Vec<_>>().join("\n")));
            seen.push_str(&line);
            seen.push('\n');
            if line.contains("Ctrl-C") {
                return seen;
            }
        }
    }

    fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// The Envoys among the descendants of the command.
    fn envoys(&self) -> Vec<u32> {
        descendants(self.child.id()).into_iter().filter(|pid| command(*pid).contains("envoy")).collect()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    receiver
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}

fn command(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn descendants(root: u32) -> Vec<u32> {
    let parent_of = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let all: Vec<u32> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let mut found = vec![root];
    let mut index = 0;
    while let Some(parent) = found.get(index).copied() {
        found.extend(all.iter().copied().filter(|pid| parent_of(*pid) == Some(parent)));
        index += 1;
    }
    found.split_off(1)
}

/// Polls until the condition holds.
#[track_caller]
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn it_says_what_to_type_and_that_works() {
    let up = Up::start();
    let said = up.ready();
    let line = said.lines().find(|line| line.trim_start().starts_with("curl") && line.contains(" -x ")).expect(&said);
    let proxy = line.split_whitespace().find(|word| word.starts_with("http://127.")).expect(line);
    let address = proxy.trim_start_matches("http://").parse().expect(proxy);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let response =
        runtime.block_on(local::Client::new(address).send(&local::Request::get("http://beta.svc/"))).unwrap();
    assert_eq!((response.status, response.json().unwrap()["node"].as_str()), (200, Some("beta")));
}

#[test]
fn both_signals_stop_everything() {
    for name in ["TERM", "INT"] {
        let mut up = Up::start();
        up.ready();
        let envoys = up.envoys();
        assert_eq!(envoys.len(), 2, "{envoys:?}");
        up.signal(name);
        assert_eq!(up.child.wait().unwrap().code(), Some(0), "SIG{name}");
        assert!(envoys.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()), "SIG{name} left {envoys:?}");
    }
}

#[test]
fn a_dead_envoy_is_reported_and_started_again() {
    let up = Up::start();
    up.ready();
    let envoys = up.envoys();
    signal(envoys[0], "KILL");
    let mut said = Vec::new();
    while !said.iter().any(|line: &String| line.contains("ready again")) {
        said.push(up.stderr.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{said:?}")));
    }
    assert!(said.iter().any(|line| line.contains("died")), "{said:?}");
    assert_eq!(up.envoys().len(), 2);
}

#[test]
fn not_even_a_killed_command_leaves_an_orphan() {
    let mut up = Up::start();
    up.ready();
    let envoys = up.envoys();
    up.signal("KILL");
    up.child.wait().unwrap();
    eventually("every Envoy is gone", || envoys.iter().all(|pid| !command(*pid).contains("envoy")));
}
