//! A6 and A7: the file that a control plane follows is written in every way there is, and wrongly, under load.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use control_plane::Variant;
use local::EnvoyBinary;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::time::{Instant, interval, sleep};

use crate::load::{Load, Plan, Tally};
use crate::mesh::state;
use crate::proxy::Proxy;
use crate::serve::{Serve, Setup, replace};
use crate::stage::Stage;

const PATIENCE: Duration = Duration::from_secs(30);
const STATES: usize = 12;

/// What a way of writing came to.
#[derive(Clone, Debug)]
pub struct Written {
    pub way: &'static str,
    /// From the last byte to answers that obey it.
    pub converged: Duration,
    /// How often the control plane read its sources meanwhile.
    pub reads: u64,
}

#[derive(Clone, Debug)]
pub struct Followed {
    pub ways: Vec<Written>,
    pub tally: Tally,
}

/// A mistake, and what it came to.
#[derive(Clone, Debug)]
pub struct Mistaken {
    pub what: &'static str,
    /// Whether the control plane says that what it serves is stale, and names a finding.
    pub told: bool,
    /// How many updates Envoy got because of it.
    pub updates: u64,
    /// From the remedy to answers that obey it.
    pub remedied: Duration,
}

#[derive(Clone, Debug)]
pub struct Borne {
    pub mistakes: Vec<Mistaken>,
    pub tally: Tally,
}

/// An Envoy that follows a file, under load.
struct Followers {
    stage: Stage,
    serve: Serve,
    proxy: Proxy,
    load: Load,
    file: PathBuf,
    folder: TempDir,
}

impl Followers {
    async fn start(binary: &EnvoyBinary, program: &Path, pause: Duration) -> anyhow::Result<Self> {
        let stage = Stage::set(binary, STATES).await?;
        let folder = tempfile::tempdir()?;
        let inside = folder.path().join("mesh");
        std::fs::create_dir(&inside)?;
        let file = inside.join("mesh.kdl");
        std::fs::write(&file, state(0, &stage.places))?;
        let serve = Serve::start(&Setup {
            program: program.to_owned(),
            mesh: Some(file.clone()),
            ecs: None,
            listen: stage.server(0)?,
            admin: stage.admin(0)?,
            state: None,
            log: folder.path().join("serve.log"),
        })
        .await?;
        let proxy = stage.proxy(Variant::Delta, &[stage.server(0)?]).await?;
        let load = Plan { pause, ..Plan::full(stage.edge()) }.start();
        load.more(100).await;
        Ok(Self { stage, serve, proxy, load, file, folder })
    }

    fn text(&self, number: usize) -> String {
        state(number, &self.stage.places)
    }

    async fn converged(&self, number: usize) -> anyhow::Result<Duration> {
        self.stage.converged(&self.load, self.stage.state(number)?, PATIENCE).await
    }

    async fn end(self) -> Tally {
        let tally = self.load.stop().await;
        self.proxy.stop().await;
        drop(self.folder);
        tally
    }
}

/// A7.
pub async fn follow(binary: &EnvoyBinary, program: &Path, lasts: Duration) -> anyhow::Result<Followed> {
    let followers = Followers::start(binary, program, Duration::from_millis(3)).await?;
    let mut ways = Vec::new();
    for (number, way) in WAYS.iter().enumerate() {
        let number = number + 1;
        let before = followers.serve.counted("reconciles", "").await?;
        let written = write(way, &followers, number, lasts).await?;
        let state = followers.stage.state(number)?;
        let since = followers.load.wait_for(&state.name, PATIENCE).await;
        let since = since.with_context(|| format!("{way}: never obeyed"))?;
        let converged = since.saturating_duration_since(written);
        let reads = followers.serve.counted("reconciles", "").await? - before;
        ways.push(Written { way, converged, reads });
    }
    Ok(Followed { ways, tally: followers.end().await })
}

const WAYS: [&str; 7] = [
    "1,000 edits/s in place",
    "half, 2 s, the rest",
    "renamed into its place",
    "a symbolic link swapped",
    "deleted, made again",
    "200 SIGHUPs",
    "its folder gone for 1 s",
];

/// Returns when the last byte was written.
async fn write(way: &str, followers: &Followers, number: usize, lasts: Duration) -> anyhow::Result<std::time::Instant> {
    let mut last = None;
    let (file, text) = (&followers.file, followers.text(number));
    match way {
        "1,000 edits/s in place" => {
            let others = [followers.text(0), followers.text(STATES - 1)];
            let end = Instant::now() + lasts;
            let mut turns = interval(Duration::from_millis(1));
            let mut edits = others.iter().cycle();
            while Instant::now() < end {
                turns.tick().await;
                std::fs::write(file, edits.next().unwrap_or(&text))?;
            }
            std::fs::write(file, text)?;
        }
        "half, 2 s, the rest" => {
            use std::io::Write as _;
            let (first, second) = text.split_at(text.len() / 2);
            let mut open = std::fs::File::create(file)?;
            open.write_all(first.as_bytes())?;
            sleep(Duration::from_secs(2)).await;
            open.write_all(second.as_bytes())?;
        }
        "renamed into its place" => replace(file, &text)?,
        "a symbolic link swapped" => {
            // As Kubernetes gives files to containers: a link to a folder is swapped, what links into it stays.
            let folder = followers.folder.path().join("mesh");
            for (version, text) in [("v1", followers.text(number - 1)), ("v2", text)] {
                std::fs::create_dir_all(folder.join(version))?;
                std::fs::write(folder.join(version).join("mesh.kdl"), text)?;
                let beside = folder.join("..data.new");
                std::os::unix::fs::symlink(version, &beside)?;
                std::fs::rename(beside, folder.join("..data"))?;
                if !file.is_symlink() {
                    std::fs::remove_file(file)?;
                    std::os::unix::fs::symlink("..data/mesh.kdl", file)?;
                }
                last = Some(std::time::Instant::now());
                sleep(Duration::from_millis(500)).await;
            }
        }
        "deleted, made again" => {
            std::fs::remove_file(file)?;
            sleep(Duration::from_millis(500)).await;
            std::fs::write(file, text)?;
        }
        "200 SIGHUPs" => {
            std::fs::write(file, text)?;
            last = Some(std::time::Instant::now());
            for _ in 0..200 {
                followers.serve.signal(Signal::HUP)?;
                sleep(Duration::from_millis(1)).await;
            }
        }
        _ => {
            let folder = followers.folder.path().join("mesh");
            let away = followers.folder.path().join("away");
            std::fs::rename(&folder, &away)?;
            sleep(Duration::from_secs(1)).await;
            std::fs::write(away.join("mesh.kdl"), text)?;
            std::fs::rename(&away, &folder)?;
        }
    }
    Ok(last.unwrap_or_else(std::time::Instant::now))
}

/// A6.
pub async fn mistakes(binary: &EnvoyBinary, program: &Path) -> anyhow::Result<Borne> {
    let followers = Followers::start(binary, program, Duration::from_millis(3)).await?;
    let mut mistakes = Vec::new();
    for (number, (what, from, to)) in MISTAKES.iter().enumerate() {
        let right = followers.text(number);
        let wrong = if from.is_empty() { (*to).to_owned() } else { right.replacen(from, to, 1) };
        let before = followers.proxy.updates().await?;
        replace(&followers.file, &wrong)?;
        let stale = |status: &serde_json::Value| !status["stale"].is_null();
        let told = followers.serve.wait_for(what, stale).await.is_ok();
        followers.load.more(500).await;
        let updates = followers.proxy.updates().await? - before;
        replace(&followers.file, &followers.text(number + 1))?;
        let remedied = followers.converged(number + 1).await?;
        mistakes.push(Mistaken { what, told, updates, remedied });
    }
    Ok(Borne { mistakes, tally: followers.end().await })
}

/// What is wrong, and how: a text in the place of another, or the whole.
const MISTAKES: [(&str, &str, &str); 6] = [
    ("syntax", "gateway", "gateway {{{"),
    ("a service that is not there", "to \"steady-0.svc\"", "to \"nobody.svc\""),
    ("a pattern that Envoy refuses", "path-prefix=\"/steady\"", "path-regex=\"/(a{1,1000}){1,1000}\""),
    ("a word that nobody knows", "listen 8080", "lissten 8080"),
    ("an empty file", "", ""),
    ("an empty mesh", "", "mesh \"trial\" {}\n"),
];
