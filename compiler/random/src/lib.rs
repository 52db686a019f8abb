//! Random meshes that are valid, made of the language's own description.
//!
//! A mesh begins as a small one that uses every kind of service, node and gateway. Again and again something that the
//! language can say at a random place is said there; what `check` refuses is taken back. So a new field is in the random
//! meshes from the day on which the language has it, and whatever `check` takes, lowering and Envoy meet.

mod coverage;
mod place;
mod shuffled;
mod supplied;
mod value;

use compiler::{CheckedMesh, annotation};
use fastrand::Rng;
use serde_json::{Value, json};
use spec::load::{Files, attach, load_text};
use spec::{Diagnostics, Severity, SourceFile, Sources, Syntax, Variables};

pub use coverage::{everything, said_in};
pub use shuffled::shuffled;
pub use supplied::Supplied;

/// A random mesh: the same for the same seed, whatever the machine.
#[derive(Debug)]
pub struct RandomMesh {
    /// The mesh, as JSON, which is YAML.
    pub text: String,
    pub checked: CheckedMesh,
    /// How many of the additions that were tried are in it.
    pub additions: usize,
}

/// Tries so many additions to the first mesh. `None` only if the first mesh itself is refused: then a file is missing
/// or wrong.
pub fn mesh(seed: u64, tries: usize, files: &dyn Files) -> Option<RandomMesh> {
    let mut choices = Rng::with_seed(seed);
    let mut document = first();
    let mut checked = check(&document.to_string(), files)?;
    let mut additions = 0;
    for _ in 0..tries {
        let mut changed = document.clone();
        if !place::add(&mut changed, &mut choices) {
            continue;
        }
        if let Some(better) = check(&changed.to_string(), files) {
            (document, checked) = (changed, better);
            additions += 1;
        }
    }
    Some(RandomMesh { text: document.to_string(), checked, additions })
}

/// From text to a checked mesh, as the command does it; `None` after the first fault.
pub fn check(text: &str, files: &dyn Files) -> Option<CheckedMesh> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.yaml", text));
    let loaded = load_text(file, Syntax::Yaml, Variables::default(), files, &mut sources, &mut diagnostics);
    let mut mesh = loaded.mesh?;
    annotation::apply(&mut mesh, &mut diagnostics);
    attach(&mesh, files, &mut sources, &mut diagnostics);
    // What has to wait for a control plane is no mistake, and cannot run without one.
    compiler::pending::check(&mesh, Severity::Error, &mut diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    compiler::check(&mesh, &sources, &mut diagnostics)
}

fn first() -> Value {
    json!({
        "mesh": "random",
        "certificate-provider": {"folder": {"folder": "/etc/mesh-tls"}, "spire": {"sds-socket": "/run/spire.sock"}},
        "jwt-provider": {"login": {"jwks-file": "login.jwks"}},
        "wasm-filter": {"audit": {"file": "filter.wasm", "root-id": "header-routing", "configuration-file": "audit.json"}},
        "service": {
            "a.svc": {"endpoint": [{"address": "10.0.0.1:3000"}, {"address": "10.0.0.2:3000"}]},
            "b.svc": {
                "endpoint": [
                    {"address": "10.0.1.1:3000", "labels": {"version": "v1"}},
                    {"address": "10.0.1.2:3000", "labels": {"version": "v2"}},
                ],
                "subset": {"v1": {"labels": {"version": "v1"}}, "v2": {"labels": {"version": "v2"}}},
            },
            "g.svc": {"protocol": "grpc", "endpoint": [{"address": "10.0.2.1:3000"}]},
            "t.svc": {"protocol": "tcp", "port": 5432, "endpoint": [{"address": "10.0.3.1:5432"}]},
            "out.svc": {"endpoint": [{"address": "192.0.2.1:80"}]},
        },
        "node": {
            "a": {"serves": {"a.svc": {}}, "calls": {"b.svc": {}, "g.svc": {}}},
            "b": {"serves": {"b.svc": {}}, "calls": {"out.svc": {}, "t.svc": {"local-port": 5432}}},
            "g": {"serves": {"g.svc": {}}},
            "t": {"serves": {"t.svc": {}}},
            "web": {"calls": {"*": {"client-tls": {"mode": "disabled"}}, "t.svc": {"local-port": 5432}}},
        },
        "gateway": {
            "edge": {
                "listen": [{"port": 8080}],
                "calls": {"a.svc": {}},
                "host": {"shop.example": {"to": [{"service": "a.svc"}, {"service": "b.svc"}]}},
            },
        },
    })
}

#[cfg(test)]
mod tests;
