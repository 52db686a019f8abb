//! `compile --envoy`: a real Envoy looks at the whole configuration of every proxy.
//!
//! `envoy --mode validate` reads neither what xDS would serve nor files it would watch, so everything is put into one
//! bootstrap; and it wants certificates on this machine, so that they are replaced by some made for the occasion.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;
use compiler::emit;
use compiler::lower::Shared;
use indicatif::ProgressBar;
use serde_json::Value;

use crate::mesh::Ready;
use crate::{module, write};

/// Whether every proxy's configuration is accepted. What Envoy says of the others goes to standard error.
pub(super) fn every_proxy(envoy: &Path, ready: &Ready) -> anyhow::Result<bool> {
    let envoy = envoy.canonicalize().with_context(|| format!("there is no Envoy at {}", envoy.display()))?;
    let folder = tempfile::tempdir()?;
    write::file(folder.path(), &module::output_path(), artifacts::MODULE)?;
    for (path, bytes) in module::of_the_user(&ready.checked) {
        write::file(folder.path(), &path, &bytes)?;
    }
    let stand_in = StandIn::make()?;
    let mesh = &ready.checked;
    let our_module = module::in_folder(module::FOLDER);
    let shared = Shared::default();
    let mut configurations = Vec::new();
    for (number, proxy) in mesh.proxies().enumerate() {
        let text = emit::bootstrap_json(mesh, proxy, &our_module, &shared);
        let mut tree: Value = serde_json::from_str(&text)?;
        stand_in.replace(&mut tree);
        let file = format!("{number}.json");
        write::file(folder.path(), &file, tree.to_string().as_bytes())?;
        configurations.push((mesh.proxy_name(proxy).to_string(), file));
    }
    let bar = ProgressBar::new(configurations.len() as u64).with_message("validating");
    let (next, refusals) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(configurations.len().max(1));
    std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            while let Some((name, file)) = configurations.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(said) = refusal(&envoy, folder.path(), file)? {
                    let mut refusals = refusals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    refusals.push((name.clone(), said));
                }
                bar.inc(1);
            }
            Ok(())
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a validation died")))
    })?;
    bar.finish_and_clear();
    let mut refusals = refusals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    refusals.sort();
    for (name, said) in &refusals {
        write::to_stderr(&format!("error: Envoy refuses the configuration of `{name}`\n  {said}\n"))?;
    }
    let count = configurations.len();
    write::to_stderr(&format!("{} of {count} configurations accepted by {}\n", count - refusals.len(), envoy.display()))?;
    Ok(refusals.is_empty())
}

/// What Envoy says against a configuration. Its first line: what follows repeats the resource, secrets and all.
fn refusal(envoy: &Path, folder: &Path, file: &str) -> anyhow::Result<Option<String>> {
    let output = Command::new(envoy)
        .args(["--mode", "validate", "--log-level", "critical", "--disable-hot-restart", "-c", file])
        .current_dir(folder)
        .output()
        .with_context(|| format!("cannot run {}", envoy.display()))?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let telling = said.lines().find(|line| line.contains("error initializing configuration") || line.contains("[critical]"));
    let line = telling.or(said.lines().next()).unwrap_or("it gives no reason");
    let reason = line.split_once("': ").map_or(line, |(_, reason)| reason);
    Ok(Some(reason.chars().take(600).collect()))
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
