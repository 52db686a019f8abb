//! A Node that has the playground: asked in lines of JSON.

use std::env;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::build;

pub(crate) struct Node {
    binary: PathBuf,
    playground: PathBuf,
}

impl Node {
    /// Builds the playground, and finds Node: `$NODE`, then `PATH`, then what `make setup` installs.
    pub(crate) fn find() -> Result<Node, String> {
        let binary = binary()?;
        Ok(Node { binary, playground: build::build()?.join("playground.js") })
    }

    /// The answers to questions, in their order.
    pub(crate) fn ask(&self, questions: &[Value]) -> Vec<Value> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/in_node/answer.cjs");
        let mut node = Command::new(&self.binary)
            .arg(script)
            .arg(&self.playground)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node runs");
        let mut stdin = node.stdin.take().expect("it has an input");
        let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
        let writer = thread::spawn(move || stdin.write_all(lines.as_bytes()));
        let output = node.wait_with_output().expect("Node ends");
        assert!(output.status.success(), "Node: {}", output.status);
        writer.join().expect("no panic").expect("Node reads its questions");
        let answers = String::from_utf8(output.stdout).expect("Node answers in UTF-8");
        answers.lines().map(|line| serde_json::from_str(line).expect("Node answers in JSON")).collect()
    }
}

fn binary() -> Result<PathBuf, String> {
    if let Some(given) = env::var_os("NODE").filter(|given| !given.is_empty()) {
        return Ok(given.into());
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no workspace")?;
    let installed = workspace.join("target/venv/bin/node");
    [PathBuf::from("node"), installed].into_iter().find(|binary| runs(binary)).ok_or_else(|| {
        "Node is neither in PATH nor in target/venv: run `make setup`, or say in NODE where it is".to_owned()
    })
}

fn runs(binary: &Path) -> bool {
    let asked = Command::new(binary).arg("--version").stdin(Stdio::null()).output();
    !matches!(asked, Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::PermissionDenied)
}
