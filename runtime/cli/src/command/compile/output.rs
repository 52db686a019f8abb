//! The files of an output folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context;
use compiler::lower::Shared;
use compiler::snapshot::{ResourceKind, Snapshot};
use compiler::{CheckedMesh, Proxy, emit};
use serde_json::json;

use super::{Arguments, Form, Syntax};
use crate::exit::Exit;
use crate::mesh::Ready;
use crate::module;

/// What takes a file's path and content.
pub(super) type Put<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Exit> + 'a;

/// The proxies of these names, or all.
pub(super) fn chosen(mesh: &CheckedMesh, names: &[String]) -> Result<Vec<Proxy>, Exit> {
    if names.is_empty() {
        return Ok(mesh.proxies().collect());
    }
    let known: BTreeMap<String, Proxy> = mesh.proxies().map(|proxy| (mesh.proxy_name(proxy).key(), proxy)).collect();
    let find = |name: &String| {
        let unknown = || Exit::usage(anyhow::anyhow!("no node or gateway is called `{name}`"));
        known.get(&name.to_ascii_lowercase()).copied().ok_or_else(unknown)
    };
    names.iter().map(find).collect()
}

/// Calls `put` with path and content of each file, in the order in which they must be written: Envoy may watch what
/// refers to others.
pub(super) fn each(ready: &Ready, proxies: &[Proxy], arguments: &Arguments, put: &mut Put<'_>) -> Result<(), Exit> {
    let our_module = module::in_folder(&arguments.filters_folder);
    let mesh = &ready.checked;
    put(&module::output_path(), artifacts::MODULE)?;
    for (path, bytes) in module::of_the_user(mesh) {
        put(&path, &bytes)?;
    }
    let shared = Shared::default();
    for form in [Form::Static, Form::Files, Form::Snapshot, Form::Compose] {
        if !arguments.emit.contains(&form) {
            continue;
        }
        match form {
            Form::Static => {
                for proxy in proxies {
                    let name = mesh.proxy_name(*proxy);
                    let (file, text) = match arguments.bootstrap {
                        Syntax::Yaml => ("envoy.yaml", emit::bootstrap_with(mesh, *proxy, &our_module, &shared)),
                        Syntax::Json => ("envoy.json", emit::bootstrap_json(mesh, *proxy, &our_module, &shared)),
                    };
                    put(&format!("{name}/{file}"), text.as_bytes())?;
                }
            }
            Form::Files => {
                for proxy in proxies {
                    let name = mesh.proxy_name(*proxy);
                    let folder = format!("{}/{name}", arguments.config_folder.trim_end_matches('/'));
                    for (path, text) in emit::watched(mesh, *proxy, &our_module, &shared, &folder) {
                        put(&format!("{name}/{path}"), text.as_bytes())?;
                    }
                }
            }
            Form::Snapshot => snapshot(&Snapshot::of(mesh, &our_module), put)?,
            Form::Compose => put("compose.yaml", emit::compose::compose(mesh).as_bytes())?,
        }
    }
    Ok(())
}

/// Files that an earlier run wrote below `NODE/xds` and nobody names any more: Envoy would not read them, people would.
/// Returns how many there were.
pub(super) fn remove_stale(written: &BTreeSet<PathBuf>) -> anyhow::Result<usize> {
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
fn snapshot(snapshot: &Snapshot, put: &mut Put<'_>) -> Result<(), Exit> {
    let mut index = serde_json::Map::new();
    for proxy in snapshot.proxies() {
        let mut resources = Vec::new();
        for kind in ResourceKind::ALL {
            let response = snapshot.response(proxy, kind);
            if response.is_empty() {
                continue;
            }
            put(&format!("{proxy}/snapshot/{}.pb", kind.short_name()), &response)?;
        }
        for resource in snapshot.resources(proxy) {
            resources.push(json!({
                "type": resource.kind.type_url(),
                "name": resource.name,
                "version": resource.version,
                "bytes": resource.whole().len(),
            }));
        }
        index.insert(proxy.to_owned(), resources.into());
    }
    let mut text = serde_json::to_string_pretty(&index).unwrap_or_default();
    text.push('\n');
    put("snapshot.json", text.as_bytes())
}
