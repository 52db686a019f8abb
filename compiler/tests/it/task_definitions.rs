//! Task definitions with the sidecar in them, and what is found in others: a folder a case, whose `in.json` is patched.

mod checked;
mod patched;

use std::path::{Path, PathBuf};

use meshwright_compiler::emit::task_definition::{self, Options};
use meshwright_compiler::{CheckedMesh, Proxy, check};
use spec::mesh::HostPort;
use spec::{Diagnostics, FileId, SourceFile, Sources, Syntax, Variables};

use crate::findings::findings;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/task_definitions")
}

/// Each case, and the proxy that it is of.
const CASES: [(&str, &str); 8] = [
    ("app-mesh", "ledger"),
    ("bridge", "orders"),
    ("cloudformation", "orders"),
    ("described", "catalog"),
    ("fargate", "orders"),
    ("gateway", "front"),
    ("host", "orders"),
    ("transparent", "ledger"),
];

struct Files;

impl spec::load::Files for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, spec::load::FileError> {
        Err(spec::load::FileError::new(path, "no such file"))
    }
}

/// A mesh that must be right.
fn mesh(text: &str) -> CheckedMesh {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let file = spec::load::add_text("mesh", text.as_bytes().to_vec(), &mut sources, &mut found).unwrap();
    let loaded = spec::load::load_text(file, Syntax::Kdl, Variables::default(), &Files, &mut sources, &mut found);
    let checked = check(&loaded.mesh.unwrap(), &sources, &mut found);
    checked.unwrap_or_else(|| panic!("{}", findings(&found, &sources)))
}

fn shop() -> CheckedMesh {
    mesh(&std::fs::read_to_string(folder().join("mesh.kdl")).unwrap())
}

fn proxy(mesh: &CheckedMesh, name: &str) -> Proxy {
    mesh.proxies().find(|proxy| mesh.proxy_name(*proxy).as_str() == name).unwrap()
}

fn options() -> Options {
    Options {
        image: Some("registry.example/meshwright:1".to_owned()),
        xds: vec![HostPort::parse("mesh.internal:15010").unwrap()],
        bootstrap_volume: None,
    }
}

fn source(text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::secret("td.json", text));
    (sources, file)
}

/// What came of it, and what was found.
fn patch(text: &str, mesh: &CheckedMesh, name: &str, options: &Options) -> (Option<String>, String) {
    let (sources, file) = source(text);
    let mut found = Diagnostics::new();
    let patched = task_definition::patch(file, mesh, proxy(mesh, name), options, &sources, &mut found);
    assert_eq!(patched.is_none(), found.has_errors());
    (patched, findings(&found, &sources))
}

fn check_text(text: &str, mesh: &CheckedMesh, name: &str) -> String {
    let (sources, file) = source(text);
    let mut found = Diagnostics::new();
    task_definition::check(file, mesh, proxy(mesh, name), &sources, &mut found);
    found.sort();
    findings(&found, &sources)
}
