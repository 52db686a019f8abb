//! The files that a mesh names beside its own texts: passwords, keys, configurations, wasm modules.

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::load::{Files, MAX_BYTES, named_path};
use crate::mesh::{JwtKeys, Mesh, Overlay, OverlaySource, WasmConfiguration, WasmModuleSource};
use crate::source::{SourceFile, Sources, Spanned};

/// The largest wasm module that is read.
pub const MAX_MODULE_BYTES: usize = 64 * 1024 * 1024;

/// What a named file is, and how it is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text that no renderer shows.
    Secret,
    Text,
    Module,
}

/// Reads the files that a mesh names, each relative to the file that names it.
///
/// They become sources under their [`resolved`](crate::load::resolved) name, each once: passwords and keys secret ones,
/// wasm modules [bytes](Sources::bytes).
pub fn attach(mesh: &Mesh, files: &dyn Files, sources: &mut Sources, diagnostics: &mut Diagnostics) {
    for (file, key, kind) in named(mesh) {
        if let Err(refused) = attach_one(file, key, kind, files, sources) {
            diagnostics.push(*refused);
        }
    }
}

fn attach_one(
    named: Spanned<&str>,
    key: &str,
    kind: Kind,
    files: &dyn Files,
    sources: &mut Sources,
) -> Result<(), Box<Diagnostic>> {
    let refuse = |message: String| Diagnostic::error(codes::UNREADABLE_FILE, named.span, message);
    let path = named_path(named, sources)?;
    // Whoever wants a module of a file finds no text of it, and the other way round.
    let known = match kind {
        Kind::Module => sources.bytes(&path).is_some(),
        Kind::Text | Kind::Secret => sources.find(&path).is_some(),
    };
    if known {
        return Ok(());
    }
    let bytes = files.read(&path).map_err(|error| {
        let missing = refuse(format!("`{path}` cannot be read: {}", error.reason()));
        Box::new(missing.help(format!("put the file beside the mesh, or correct `{key}`")))
    })?;
    let most = if kind == Kind::Module { MAX_MODULE_BYTES } else { MAX_BYTES };
    if bytes.len() > most {
        return Err(Box::new(refuse(format!("`{path}` is larger than {most} bytes"))));
    }
    if kind == Kind::Module {
        sources.add_bytes(path, bytes);
        return Ok(());
    }
    // The bytes may be secret: say that they are wrong, never which they are.
    let text = String::from_utf8(bytes).map_err(|_| Box::new(refuse(format!("`{path}` is not UTF-8 text"))))?;
    sources.add(match kind {
        Kind::Secret => SourceFile::secret(path, text),
        Kind::Text | Kind::Module => SourceFile::public(path, text),
    });
    Ok(())
}

/// Every file that is named, by which field, in a fixed order.
fn named(mesh: &Mesh) -> Vec<(Spanned<&str>, &'static str, Kind)> {
    let mut named = Vec::new();
    let basic = mesh.services.iter().filter_map(|service| service.basic_auth.as_deref());
    let basic = basic.chain(mesh.gateways.iter().filter_map(|gateway| gateway.basic_auth.as_ref()));
    for auth in basic {
        named.push((path(&auth.htpasswd_file), "htpasswd-file", Kind::Secret));
        named.extend(auth.groups_file.as_ref().map(|file| (path(file), "groups-file", Kind::Text)));
    }
    let keys = mesh.services.iter().filter_map(|service| service.api_key.as_deref());
    let keys = keys.chain(mesh.gateways.iter().filter_map(|gateway| gateway.api_key.as_ref()));
    named.extend(keys.map(|auth| (path(&auth.keys_file), "keys-file", Kind::Secret)));
    let secrets = mesh.services.iter().filter_map(|service| service.hmac_signature.as_deref());
    let secrets = secrets.chain(mesh.gateways.iter().filter_map(|gateway| gateway.hmac_signature.as_ref()));
    named.extend(secrets.map(|auth| (path(&auth.secrets_file), "secrets-file", Kind::Secret)));
    for provider in &mesh.jwt_providers {
        if let JwtKeys::File(file) = &provider.keys.value {
            named.push((Spanned::new(file, provider.keys.span), "jwks-file", Kind::Text));
        }
    }
    for filter in &mesh.wasm_filters {
        if let WasmModuleSource::File(file) = &filter.module.value {
            named.push((Spanned::new(file, filter.module.span), "file", Kind::Module));
        }
        if let Some(Spanned { value: WasmConfiguration::File(file), span }) = &filter.configuration {
            named.push((Spanned::new(file, *span), "configuration-file", Kind::Text));
        }
    }
    for overlay in overlays(mesh) {
        if let OverlaySource::File(file) = &overlay.source.value {
            named.push((Spanned::new(file, overlay.source.span), "file", Kind::Text));
        }
    }
    named
}

fn path(said: &Spanned<String>) -> Spanned<&str> {
    Spanned::new(&said.value, said.span)
}

fn overlays(mesh: &Mesh) -> impl Iterator<Item = &Overlay> {
    let services = mesh.services.iter().flat_map(|service| &service.overlays);
    let nodes = mesh.nodes.iter().flat_map(|node| &node.overlays);
    let gateways = mesh.gateways.iter().flat_map(|gateway| &gateway.overlays);
    mesh.overlays.iter().chain(services).chain(nodes).chain(gateways)
}
