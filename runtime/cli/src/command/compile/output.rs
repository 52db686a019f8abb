//! The files of an output folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use compiler::emit;
use compiler::lower::Shared;
use compiler::snapshot::{ResourceKind, Snapshot};
use serde_json::json;

use super::{Arguments, Form, Syntax};
use crate::mesh::Ready;
use crate::module;

/// Path and content, in the order in which they must be written: Envoy may watch what refers to others.
pub(super) fn files(ready: &Ready, arguments: &Arguments) -> Vec<(String, Vec<u8>)> {
    let our_module = module::in_folder(&arguments.filters_folder);
    let mesh = &ready.checked;
    let mut files = vec![(module::output_path(), artifacts::MODULE.to_vec())];
    let shared = Shared::default();
    let mut forms = arguments.emit.clone();
    forms.dedup();
    for form in forms {
        match form {
            Form::Static => files.extend(mesh.proxies().map(|proxy| {
                let name = mesh.proxy_name(proxy);
                match arguments.bootstrap {
                    Syntax::Yaml => {
                        let text = emit::bootstrap_with(mesh, proxy, &our_module, &shared);
                        (format!("{name}/envoy.yaml"), text.into_bytes())
                    }
                    Syntax::Json => {
                        let text = emit::bootstrap_json(mesh, proxy, &our_module, &shared);
                        (format!("{name}/envoy.json"), text.into_bytes())
                    }
                }
            })),
            Form::Files => files.extend(mesh.proxies().flat_map(|proxy| {
                let name = mesh.proxy_name(proxy);
                let folder = format!("{}/{name}", arguments.config_folder.trim_end_matches('/'));
                let texts = emit::watched(mesh, proxy, &our_module, &shared, &folder);
                texts.into_iter().map(move |(path, text)| (format!("{name}/{path}"), text.into_bytes()))
            })),
            Form::Snapshot => files.extend(snapshot(&Snapshot::of(mesh, &our_module))),
            Form::Compose => files.push(("compose.yaml".to_owned(), emit::compose::compose(mesh).into_bytes())),
        }
    }
    files
}

/// Files that an earlier run wrote below `NODE/xds` and nobody names any more: Envoy would not read them, people would.
/// Returns how many there were.
pub(super) fn remove_stale(folder: &Path, files: &[(String, Vec<u8>)]) -> anyhow::Result<usize> {
    let written: BTreeSet<PathBuf> = files.iter().map(|(path, _)| folder.join(path)).collect();
    let watched: BTreeSet<&Path> = written.iter().filter_map(|path| path.parent()).collect();
    let mut removed = 0;
    for kind in watched.into_iter().filter(|it| ["xds/eds", "xds/rds", "xds/sds"].iter().any(|kind| it.ends_with(kind)))
    {
        for entry in std::fs::read_dir(kind).with_context(|| format!("cannot read {}", kind.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "yaml") && !written.contains(&path) {
                std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// What a control plane would serve each proxy: the first response of each type, and what is in it.
fn snapshot(snapshot: &Snapshot) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut index = serde_json::Map::new();
    for proxy in snapshot.proxies() {
        let mut resources = Vec::new();
        for kind in ResourceKind::ALL {
            let response = snapshot.response(proxy, kind);
            if response.is_empty() {
                continue;
            }
            files.push((format!("{proxy}/snapshot/{}.pb", kind.short_name()), response));
        }
        for resource in snapshot.resources(proxy) {
            resources.push(json!({
                "type": resource.kind.type_url(),
                "name": resource.name,
                "version": resource.version,
                "bytes": resource.bytes.len(),
            }));
        }
        index.insert(proxy.to_owned(), resources.into());
    }
    let mut text = serde_json::to_string_pretty(&index).unwrap_or_default();
    text.push('\n');
    files.push(("snapshot.json".to_owned(), text.into_bytes()));
    files
}
