//! A control plane as a process, and its pages.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

pub(crate) const MESH: &str = r#"mesh "tiny" {
    service "beta.svc" { endpoint "10.0.0.1:3000"; }
    service "gamma.svc" { endpoint "10.0.0.2:3000"; }
    node "alpha" calls="*"
    node "beta" serves="beta.svc"
    node "gamma" serves="gamma.svc"
}
"#;

/// A folder with `mesh.kdl`.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn with(mesh: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write(mesh);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, mesh: &str) {
        std::fs::write(self.path("mesh.kdl"), mesh).unwrap();
    }
}

pub(crate) struct Serve {
    child: Child,
    pub(crate) admin: SocketAddr,
    pub(crate) introduction: String,
    stderr: Arc<Mutex<String>>,
}

impl Serve {
    /// With its state below the folder, at ports that are free.
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut child = command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = collect(child.stderr.take().unwrap());
        let mut introduction = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        while !introduction.contains("connect ") {
            let read = stdout.read_line(&mut introduction).unwrap();
            assert!(read > 0, "{introduction}{}", stderr.lock().unwrap());
        }
        let pages = introduction.split_once("http://").unwrap().1;
        let admin = pages.split_once('/').unwrap().0.parse().unwrap();
        Self { child, admin, introduction, stderr }
    }

    /// One that nobody listens to, as after `meshwright serve … | head -1`, and that may have no mesh yet.
    pub(crate) fn unheard(folder: &Folder, more: &[&str]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = free.local_addr().unwrap();
        drop(free);
        let admin_text = admin.to_string();
        let arguments = [&["--admin", &admin_text], more].concat();
        let mut child = command(folder, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let stderr = collect(child.stderr.take().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(admin).is_err() && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "its pages are not there");
            std::thread::sleep(POLL);
        }
        Self { child, admin, introduction: String::new(), stderr }
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Status code and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path)
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> (u16, String) {
        let mut connection = TcpStream::connect(self.admin).unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin);
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    pub(crate) fn status(&self) -> Value {
        let (code, body) = self.get("/status?format=json");
        assert_eq!(code, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn digest(&self) -> String {
        self.status()["serving"]["digest"].as_str().unwrap().to_owned()
    }

    /// The value of a line of /metrics.
    pub(crate) fn metric(&self, line: &str) -> Option<f64> {
        let (_, metrics) = self.get("/metrics");
        let name = format!("meshwright_control_plane_{line} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }

    #[track_caller]
    pub(crate) fn until(&self, reached: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if reached(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "{status:#}\n{}", self.stderr());
            std::thread::sleep(POLL);
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whoever was asked otherwise.
    pub(crate) fn stop_unasked(mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// Asks it to end, as systemd and ECS do.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        wait(&mut self.child)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// For what ends by itself: the exit code and what was on standard error.
pub(crate) fn ended(folder: &Folder, arguments: &[&str]) -> (i32, String) {
    let mut child = command(folder, arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let stderr = collect(child.stderr.take().unwrap());
    let status = wait(&mut child);
    let deadline = Instant::now() + PATIENCE;
    // The thread that collects holds the other one until the end of the stream.
    while Arc::strong_count(&stderr) > 1 && Instant::now() < deadline {
        std::thread::sleep(POLL);
    }
    let said = stderr.lock().unwrap().clone();
    (status.code().unwrap(), said)
}

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshwright"));
    // Changes are to be found because they are reported.
    command.args(["serve", "mesh.kdl", "--poll", "1h"]).args(arguments);
    for flag in ["--listen", "--admin"].into_iter().filter(|flag| !arguments.contains(flag)) {
        command.args([flag, "127.0.0.1:0"]);
    }
    command.current_dir(folder.path("")).stdin(Stdio::null());
    // An AWS that does not answer.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_REGION", "eu-central-1");
    command.env("AWS_ACCESS_KEY_ID", "nobody").env("AWS_SECRET_ACCESS_KEY", "nothing");
    command.env("XDG_STATE_HOME", folder.path("state")).env_remove("STATE_DIRECTORY");
    command
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(POLL);
    }
}

fn collect(stream: impl std::io::Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let all = Arc::clone(&text);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut all = all.lock().unwrap();
            all.push_str(&line);
            all.push('\n');
        }
    });
    text
}

pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}
