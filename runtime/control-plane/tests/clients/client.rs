//! A client that calls the service all the time, and says in lines of JSON what it meets: a program of its own, or a
//! task of the test.

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::bootstrap;
use crate::mesh::SERVICE;
use crate::rust;

/// For anything that must happen, on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    commands: mpsc::UnboundedSender<String>,
    lines: mpsc::UnboundedReceiver<Value>,
    errors: Vec<String>,
    /// What a program reads.
    _files: Option<TempDir>,
}

/// What happened until the client was stopped.
#[derive(Debug)]
pub(crate) struct Totals {
    #[expect(dead_code, reason = "a test that fails shows it")]
    pub(crate) client: String,
    #[expect(dead_code, reason = "a test that fails shows it")]
    pub(crate) calls: u64,
    pub(crate) errors: Vec<String>,
    /// Calls by the backend that answered.
    pub(crate) by: BTreeMap<String, u64>,
}

impl Client {
    /// gRPC's C-core, by Python.
    pub(crate) fn grpcio(which: &str, server: SocketAddr) -> Self {
        Self::grpcio_from(which, &bootstrap::plain(server))
    }

    pub(crate) fn grpcio_from(which: &str, bootstrap: &str) -> Self {
        let python = installed(&format!("grpcio-{which}/bin/python"));
        let mut command = Command::new(python);
        command.arg(here("grpcio/client.py"));
        Self::program(command, bootstrap)
    }

    /// gRPC for Node.
    pub(crate) fn grpc_js(server: SocketAddr) -> Self {
        Self::grpc_js_from(&bootstrap::plain(server))
    }

    pub(crate) fn grpc_js_from(bootstrap: &str) -> Self {
        let mut command = Command::new(node());
        command.arg(here("grpc-js/client.mjs")).env("MODULES", installed("grpc-js/node_modules"));
        Self::program(command, bootstrap)
    }

    /// The Rust `xds-client`.
    pub(crate) fn rust(server: SocketAddr) -> Self {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(rust::run(server, receiver, sender));
        Self { commands, lines, errors: Vec::new(), _files: None }
    }

    fn program(mut command: Command, bootstrap: &str) -> Self {
        let files = TempDir::new().expect("there is a place for temporary files");
        let file = files.path().join("xds.json");
        std::fs::write(&file, bootstrap).expect("it is writable");
        command.arg(format!("xds:///{SERVICE}")).env("GRPC_XDS_BOOTSTRAP", file);
        for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"] {
            command.env_remove(proxy);
        }
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{piped:?}: {error}"));
        let (commands, mut receiver) = mpsc::unbounded_channel::<String>();
        let (sender, lines) = mpsc::unbounded_channel();
        let mut input = child.stdin.take().expect("it is piped");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    command = receiver.recv() => match command {
                        // A program that is gone is noticed by its lines' end.
                        Some(command) => drop(input.write_all(format!("{command}\n").as_bytes()).await),
                        None => break,
                    },
                    line = output.next_line() => match line.ok().flatten() {
                        Some(line) => {
                            let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                            drop(sender.send(line));
                        }
                        None => {
                            // How it ended: a program may crash.
                            let status = child.wait().await.map(|status| status.to_string());
                            drop(sender.send(json!({"ended": status.unwrap_or_default()})));
                            break;
                        }
                    },
                }
            }
        });
        Self { commands, lines, errors: Vec::new(), _files: Some(files) }
    }

    /// Returns when this backend answers and another did before.
    pub(crate) async fn answered_by(&mut self, backend: &str) {
        let patience = Instant::now() + PATIENCE;
        while self.line_until("backend", patience).await != backend {}
    }

    /// Returns after so many more calls.
    pub(crate) async fn calls(&mut self, more: usize) {
        self.ask(&format!("calls {more}"));
        self.line("reached").await;
    }

    /// Type and name of each resource that the client refuses now, and why.
    pub(crate) async fn refused(&mut self) -> Vec<(String, String)> {
        self.ask("csds");
        let resources = self.line("csds").await;
        let text = |resource: &Value, key: &str| resource[key].as_str().unwrap_or_default().to_owned();
        let resources = resources.as_array().into_iter().flatten();
        let refused = resources.filter(|resource| resource["status"] == "NACKED");
        refused
            .map(|resource| (format!("{} {}", text(resource, "type"), text(resource, "name")), text(resource, "error")))
            .collect()
    }

    pub(crate) async fn stop(mut self) -> Totals {
        self.ask("stop");
        let totals = self.line("totals").await;
        assert_eq!(totals["errors"], self.errors.len(), "each error was said");
        println!("{totals}");
        Totals {
            client: totals["client"].as_str().unwrap_or_default().to_owned(),
            calls: totals["calls"].as_u64().unwrap_or_default(),
            errors: self.errors,
            by: serde_json::from_value(totals["by"].clone()).expect("numbers by backend"),
        }
    }

    fn ask(&self, command: &str) {
        self.commands.send(command.to_owned()).expect("the client runs");
    }

    /// The value of the next line with this key.
    async fn line(&mut self, key: &str) -> Value {
        self.line_until(key, Instant::now() + PATIENCE).await
    }

    async fn line_until(&mut self, key: &str, patience: Instant) -> Value {
        loop {
            let line = timeout_at(patience, self.lines.recv()).await;
            let last = self.errors.last();
            let line = line.unwrap_or_else(|_| panic!("no line with `{key}`; the last error is {last:?}"));
            let line = line.unwrap_or_else(|| panic!("the client said its last before a line with `{key}`"));
            assert!(line.get("ended").is_none(), "the client ended before a line with `{key}`: {line}");
            if let Some(error) = line.get("error") {
                self.errors.push(format!("{error} after {} calls", line["after"]));
            }
            if let Some(value) = line.get(key) {
                return value.clone();
            }
        }
    }
}

/// What `make setup` installs.
fn installed(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients");
    let file = root.join(path);
    assert!(file.exists(), "target/clients/{path} is not there: run `make setup`, which installs gRPC's clients");
    file
}

/// `$NODE`, then `PATH`'s, then the one that `make setup` installs.
fn node() -> PathBuf {
    if let Some(given) = env::var_os("NODE").filter(|given| !given.is_empty()) {
        return given.into();
    }
    let folders = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin");
    let found = folders.into_iter().chain([own]).map(|folder| folder.join("node")).find(|node| node.exists());
    found.expect("Node is neither in PATH nor in target/venv: run `make setup`, or say in NODE where it is")
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(path)
}
