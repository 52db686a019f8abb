//! A real Envoy looks at the whole configuration of every proxy.
//!
//! `envoy --mode validate` reads neither what xDS would serve nor files it would watch, so everything is put into one
//! bootstrap; and it wants certificates and the folders of logs on this machine, so that the certificates are replaced
//! by some made for the occasion, and the logs by `/dev/null`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use compiler::lower::Shared;
use compiler::{CheckedMesh, emit};
use indicatif::ProgressBar;
use local::EnvoyBinary;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::exit::Exit;
use crate::{module, write};

/// Longest text of Envoy's that is shown: it repeats resources, and those may hold secrets.
const SHOWN: usize = 400;

/// What Envoy says whatever the configuration: of `api_key_auth` as a whole, and of every module by URL. The manual says
/// it, too.
const KNOWN: [&str; 2] = ["api_key_auth.proto' marked as work-in-progress", "Wasm remote code fetch is unstable"];

/// A configuration that Envoy does not take as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    /// The proxy.
    pub name: String,
    /// Why it is refused; `None`: it is accepted, but for `warnings`.
    pub refused: Option<String>,
    pub warnings: Vec<String>,
}

/// Lets Envoy look at every proxy of a mesh. Returns those that it refuses or warns about, in the order of the mesh, and
/// how many there were.
pub fn every_proxy(binary: &EnvoyBinary, mesh: &CheckedMesh, bar: &ProgressBar) -> Result<(Vec<Verdict>, usize), Exit> {
    every_new_proxy(binary, mesh, &mut Seen::new(), bar)
}

/// Digests of configurations that Envoy looked at.
pub type Seen = BTreeSet<[u8; 32]>;

/// As [`every_proxy`], without the proxies whose configuration was seen; the others are seen then.
pub fn every_new_proxy(
    binary: &EnvoyBinary,
    mesh: &CheckedMesh,
    seen: &mut Seen,
    bar: &ProgressBar,
) -> Result<(Vec<Verdict>, usize), Exit> {
    let folder = tempfile::tempdir()?;
    let configurations = written(mesh, folder.path(), seen)?;
    bar.set_length(configurations.len() as u64);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let verdicts = runtime.block_on(verdicts(binary, folder.path(), &configurations, bar))?;
    Ok((verdicts, configurations.len()))
}

/// Every new proxy's configuration in one file: its name, and where it is.
fn written(mesh: &CheckedMesh, folder: &Path, seen: &mut Seen) -> Result<Vec<(String, PathBuf)>, Exit> {
    write::file(folder, &module::output_path(), artifacts::MODULE)?;
    for (path, bytes) in module::of_the_user(mesh) {
        write::file(folder, &path, &bytes)?;
    }
    let stand_in = StandIn::make()?;
    let shared = Shared::default();
    let our_module = module::in_folder(module::FOLDER);
    let mut configurations = Vec::new();
    for (number, proxy) in mesh.proxies().enumerate() {
        let text = emit::bootstrap_json(mesh, proxy, &our_module, &shared);
        if !seen.insert(Sha256::digest(&text).into()) {
            continue;
        }
        let mut tree: Value = serde_json::from_str(&text)?;
        stand_in.replace(&mut tree);
        let file = format!("{number}.json");
        write::file(folder, &file, tree.to_string().as_bytes())?;
        configurations.push((mesh.proxy_name(proxy).to_string(), folder.join(file)));
    }
    Ok(configurations)
}

async fn verdicts(
    binary: &EnvoyBinary,
    folder: &Path,
    configurations: &[(String, PathBuf)],
    bar: &ProgressBar,
) -> Result<Vec<Verdict>, Exit> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let (turns, mut runs) = (Arc::new(Semaphore::new(at_once)), JoinSet::new());
    for (number, (_, config)) in configurations.iter().enumerate() {
        let (binary, config, folder, turns) = (binary.clone(), config.clone(), folder.to_owned(), Arc::clone(&turns));
        runs.spawn(async move {
            let _turn = turns.acquire().await;
            (number, binary.validate(&config, &folder).await)
        });
    }
    let mut verdicts = Vec::new();
    while let Some(run) = runs.join_next().await {
        let (number, report) = run?;
        let report = report?;
        bar.inc(1);
        let name = configurations.get(number).map_or_else(String::new, |(name, _)| name.clone());
        let said = || short(&report.problems.join("; "));
        let refused = (!report.accepted).then(said);
        let warnings: Vec<String> = report
            .warnings
            .iter()
            .filter(|it| !KNOWN.iter().any(|known| it.contains(known)))
            .map(|it| short(it))
            .collect();
        if refused.is_some() || !warnings.is_empty() {
            verdicts.push((number, Verdict { name, refused, warnings }));
        }
    }
    verdicts.sort();
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

/// The first and the last line: between them Envoy repeats the resource.
fn short(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let cut = |line: &str| line.chars().take(SHOWN).collect::<String>();
    match (lines.next(), lines.next_back()) {
        (Some(first), Some(last)) => format!("{} … {}", cut(first), cut(last)),
        (first, _) => cut(first.unwrap_or("")),
    }
}

/// A certificate, its key and its authority in place of those that sidecars have.
struct StandIn {
    certificate: String,
    key: String,
}

impl StandIn {
    fn make() -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["stand-in.invalid".to_owned()])?;
        Ok(Self { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() })
    }

    /// Puts it wherever a TLS context names a file.
    fn replace(&self, tree: &mut Value) {
        match tree {
            Value::Object(fields) => {
                fields.remove("watched_directory");
                let kind = fields.get("@type").and_then(Value::as_str).unwrap_or("");
                if kind.ends_with(".FileAccessLog") {
                    fields.insert("path".to_owned(), "/dev/null".into());
                }
                for (key, value) in fields {
                    let text = match key.as_str() {
                        "certificate_chain" | "trusted_ca" => Some(&self.certificate),
                        "private_key" => Some(&self.key),
                        _ => None,
                    };
                    match text {
                        Some(text) if value.get("filename").is_some() => {
                            *value = serde_json::json!({"inline_string": text});
                        }
                        _ => self.replace(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            _ => {}
        }
    }
}
