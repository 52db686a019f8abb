//! The sidecar as its user runs it.

use std::fmt::Write as _;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::World;

/// Killed when it is dropped; then it shows what it logged if the test fails.
pub(crate) struct Sidecar {
    child: Child,
    log: PathBuf,
}

/// Exit code or signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
}

impl Sidecar {
    pub(crate) fn start(world: &World, control_planes: &[SocketAddr]) -> Self {
        Self::start_with(world, control_planes, &[])
    }

    pub(crate) fn start_with(world: &World, control_planes: &[SocketAddr], more: &[&str]) -> Self {
        let envoy = local::find(None).expect("an Envoy");
        Self::start_as(world, control_planes, envoy.path(), more)
    }

    /// With another program in the place of Envoy.
    pub(crate) fn start_as(world: &World, control_planes: &[SocketAddr], envoy: &Path, more: &[&str]) -> Self {
        let mut servers = String::new();
        for address in control_planes {
            let _ = write!(servers, "{}{address}", if servers.is_empty() { "" } else { "," });
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright-sidecar"));
        command.arg("--bootstrap").arg(world.folder.path());
        command.args(["--health", &world.health().to_string()]);
        if !servers.is_empty() {
            command.args(["--xds", &servers]);
        }
        command.arg("--envoy").arg(envoy).args(more);
        if !more.contains(&"--") {
            command.arg("--");
        }
        command.args(["--concurrency", "2", "--log-level", "warn"]);
        Self::run(world, command)
    }

    /// Without a bootstrap, as a container that has nothing but its environment.
    pub(crate) fn start_alone(world: &World, variables: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright-sidecar"));
        command.args(["--bind", &world.address.to_string()]).args(["--", "--concurrency", "2"]);
        command.env("MESHWRIGHT_FOLDER", world.folder.path().join("own"));
        command.env("MESHWRIGHT_HEALTH", world.health().to_string());
        command.env("ENVOY", local::find(None).expect("an Envoy").path());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        Self::run(world, command)
    }

    fn run(world: &World, mut command: Command) -> Self {
        let log = world.folder.path().join("sidecar.log");
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        command.env_remove("STATE_DIRECTORY").stdin(Stdio::null());
        // Standard output is the access log.
        command.stdout(Stdio::null()).stderr(file);
        Self { child: command.spawn().expect("the sidecar starts"), log }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(self.child.id()), signal).expect("it is there");
    }

    /// Children of the sidecar: Envoy.
    pub(crate) fn children(&self) -> Vec<u32> {
        children_of(self.child.id())
    }

    pub(crate) fn envoy(&self) -> Option<u32> {
        self.children().first().copied()
    }

    pub(crate) async fn ends(&mut self, within: Duration) -> Exit {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return match (status.code(), status.signal()) {
                    (Some(code), _) => Exit::Code(code),
                    (None, signal) => Exit::Signal(signal.unwrap_or_default()),
                };
            }
            assert!(begun.elapsed() < within, "the sidecar did not end within {within:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the sidecar's log ---\n{}", self.log());
        }
    }
}

pub(crate) fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("an id")).expect("an id")
}

pub(crate) fn exists(id: u32) -> bool {
    state(id).is_some_and(|(state, _)| state != 'Z')
}

pub(crate) fn kill(id: u32, signal: Signal) {
    kill_process(pid(id), signal).expect("it is there");
}

pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("there is /proc");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let mut children: Vec<u32> = ids.filter(|id| state(*id).is_some_and(|(_, of)| of == parent)).collect();
    children.sort_unstable();
    children
}

/// State and parent.
pub(crate) fn state(id: u32) -> Option<(char, u32)> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
