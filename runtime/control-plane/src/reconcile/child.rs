//! The compiler in a process of its own: whatever input does to it, streams go on.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::attempt::{Attempt, Failure, Findings, decode};
use super::{Compile, Digests};

/// A program that reads, checks and compiles, and writes an encoded [`Attempt`] to its standard output.
#[derive(Clone, Debug)]
pub struct Child {
    pub program: OsString,
    pub arguments: Vec<OsString>,
    /// It is killed after so long.
    pub time: Duration,
}

/// No state is larger.
const MAX_OUTPUT: u64 = 4 << 30;
/// Of what a dying compiler says.
const MAX_WORDS: u64 = 64 * 1024;

impl Compile for Child {
    async fn compile(&self) -> Attempt {
        let begun = std::time::Instant::now();
        match tokio::time::timeout(self.time, run(self)).await {
            Ok(Ok(attempt)) => attempt,
            Ok(Err(reason)) => failed(Failure::Crashed(reason), begun.elapsed()),
            Err(_) => failed(Failure::TimedOut(self.time), begun.elapsed()),
        }
    }
}

async fn run(child: &Child) -> Result<Attempt, String> {
    let cannot_start = |error: std::io::Error| format!("cannot be started: {error}");
    let mut process = Command::new(&child.program)
        .args(&child.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot_start)?;
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let (output, words, status) = tokio::join!(all_of(stdout, MAX_OUTPUT), all_of(stderr, MAX_WORDS), process.wait());
    let status = status.map_err(cannot_start)?;
    if let Ok(attempt) = decode(&output) {
        return Ok(attempt);
    }
    let words = String::from_utf8_lossy(&words);
    // The first line tells most: what follows are remarks on backtraces.
    let last =
        words.lines().find(|line| !line.trim().is_empty()).map_or(String::new(), |line| format!(": {}", line.trim()));
    Err(format!("ended with {status}{last}"))
}

/// What exceeds `most` is read and forgotten, so that the writer does not wait for ever.
async fn all_of(stream: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read before an error is what is there.
        let _ = (&mut stream).take(most).read_to_end(&mut bytes).await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    bytes
}

fn failed(failure: Failure, took: Duration) -> Attempt {
    Attempt {
        files: Digests::new(),
        findings: Findings::default(),
        outcome: Err(failure),
        took: [Duration::ZERO, Duration::ZERO, took],
        ecs: None,
    }
}
