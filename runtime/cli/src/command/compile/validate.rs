//! `compile --envoy`: a real Envoy looks at the whole configuration of every proxy.
//!
//! `envoy --mode validate` reads neither what xDS would serve nor files it would watch, so everything is put into one
//! bootstrap; and it wants certificates on this machine, so that they are replaced by some made for the occasion.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use compiler::emit;
use compiler::lower::Shared;
use indicatif::ProgressBar;
use local::EnvoyBinary;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::exit::Exit;
use crate::mesh::Ready;
use crate::{module, write};

/// Longest text of Envoy's that is shown: it repeats resources, and those may hold secrets.
const SHOWN: usize = 400;

/// Whether every proxy's configuration is accepted. What Envoy says of the others goes to standard error.
pub(super) fn every_proxy(envoy: &Path, ready: &Ready) -> Result<bool, Exit> {
    let binary = local::find(Some(envoy))?;
    let folder = tempfile::tempdir()?;
    let configurations = written(ready, folder.path())?;
    let bar = ProgressBar::new(configurations.len() as u64).with_message("validating");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let refusals = runtime.block_on(refusals(&binary, folder.path(), &configurations, &bar))?;
    bar.finish_and_clear();
    for (name, said) in &refusals {
        write::to_stderr(&format!("error: Envoy refuses the configuration of `{name}`\n  {said}\n"))?;
    }
    let count = configurations.len();
    let accepted = count - refusals.len();
    write::to_stderr(&format!("{accepted} of {count} configurations accepted by {}\n", envoy.display()))?;
    Ok(refusals.is_empty())
}

/// Every proxy's configuration in one file: its name, and where it is.
fn written(ready: &Ready, folder: &Path) -> Result<Vec<(String, PathBuf)>, Exit> {
    write::file(folder, &module::output_path(), artifacts::MODULE)?;
    let stand_in = StandIn::make()?;
    let (mesh, shared) = (&ready.checked, Shared::default());
    let our_module = module::in_folder(module::FOLDER);
    let mut configurations = Vec::new();
    for (number, proxy) in mesh.proxies().enumerate() {
        let text = emit::bootstrap_json(mesh, proxy, &our_module, &shared);
        let mut tree: Value = serde_json::from_str(&text)?;
        stand_in.replace(&mut tree);
        let file = format!("{number}.json");
        write::file(folder, &file, tree.to_string().as_bytes())?;
        configurations.push((mesh.proxy_name(proxy).to_string(), folder.join(file)));
    }
    Ok(configurations)
}

/// Names of the proxies whose configuration is refused, and why, in the order of the mesh.
async fn refusals(
    binary: &EnvoyBinary,
    folder: &Path,
    configurations: &[(String, PathBuf)],
    bar: &ProgressBar,
) -> Result<Vec<(String, String)>, Exit> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let (turns, mut runs) = (Arc::new(Semaphore::new(at_once)), JoinSet::new());
    for (number, (_, config)) in configurations.iter().enumerate() {
        let (binary, config, folder, turns) = (binary.clone(), config.clone(), folder.to_owned(), Arc::clone(&turns));
        runs.spawn(async move {
            let _turn = turns.acquire().await;
            (number, binary.validate(&config, &folder).await)
        });
    }
    let mut refused = Vec::new();
    while let Some(run) = runs.join_next().await {
        let (number, report) = run?;
        let report = report?;
        bar.inc(1);
        if !report.accepted {
            let said = report.problems.join("; ");
            let name = configurations.get(number).map_or_else(String::new, |(name, _)| name.clone());
            refused.push((number, name, said.lines().next().unwrap_or("").chars().take(SHOWN).collect()));
        }
    }
    refused.sort();
    Ok(refused.into_iter().map(|(_, name, said)| (name, said)).collect())
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
