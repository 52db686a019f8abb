//! The meshes of the trials: what an Envoy at the edge is told, in as many states as a trial needs.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, bail};
use compiler::snapshot::Snapshot;
use compiler::{CheckedMesh, WasmModule};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::load::STATE;

/// Where gateways listen.
pub const PORT: u16 = 8080;
/// Services beside the one whose turn it is: a change shall stand among things that stay.
const STEADY: usize = 5;

/// A mesh, and what a control plane serves of it.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub checked: CheckedMesh,
    pub snapshot: Snapshot,
    pub module: WasmModule,
}

/// Where everything of a trial's mesh is.
#[derive(Clone, Debug)]
pub struct Places {
    /// A gateway each.
    pub edges: Vec<IpAddr>,
    pub backends: Vec<SocketAddr>,
}

/// The name of a gateway.
pub fn edge(index: usize) -> String {
    format!("edge-{index}")
}

/// A state of the mesh in which everything goes to a cluster that no other state has, and answers say so.
pub fn state(number: usize, places: &Places) -> String {
    text(number, places, "")
}

/// The same with another listener in every state, and a filter of ours in every other one.
pub fn listening(number: usize, places: &Places) -> String {
    let filter = match number % 2 {
        0 => String::new(),
        _ => format!("headers {{ response {{ set \"x-served\" value=\"{number}\" }} }}"),
    };
    text(number, places, &format!("idle-timeout \"{}s\"\n        {filter}", 300 + number))
}

fn text(number: usize, places: &Places, of_the_gateway: &str) -> String {
    let mut mesh = String::from("mesh \"trial\" {\n");
    let turn = format!("turn-{number}.svc");
    let backend = |index: usize| places.backends.get(index % places.backends.len().max(1));
    let mut service = |name: &str, index: usize| {
        let endpoint = backend(index).map(|address| format!(" endpoint \"{address}\" "));
        // Writing to a string cannot fail.
        let _ = writeln!(mesh, "    service \"{name}\" {{{}}}", endpoint.unwrap_or_default());
    };
    for index in 0..STEADY {
        service(&format!("steady-{index}.svc"), index);
    }
    service(&turn, number);
    for (index, address) in places.edges.iter().enumerate() {
        let _ = write!(
            mesh,
            r#"    gateway "{}" {{
        listen {PORT}
        bind "{address}"
        {of_the_gateway}
        host "*" {{
            route path-prefix="/steady" {{ to "steady-0.svc" }}
            route path-prefix="/" {{ to "{turn}" }}
            response-headers {{ set "{STATE}" value="{number}" }}
        }}
    }}
"#,
            edge(index)
        );
    }
    mesh.push_str("}\n");
    mesh
}

/// Compiles the text of a mesh; every finding that is an error is one here.
pub fn compile(text: &str, module: &WasmModule) -> anyhow::Result<Compiled> {
    let mut sources = Sources::new();
    let mut diagnostics = Diagnostics::new();
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics);
    let Some(mut mesh) = mesh else { bail!(findings(&diagnostics, &sources)) };
    compiler::annotation::apply(&mut mesh, &mut diagnostics);
    let checked = compiler::check(&mesh, &sources, &mut diagnostics);
    let checked = checked.with_context(|| findings(&diagnostics, &sources))?;
    let snapshot = Snapshot::of(&checked, module);
    Ok(Compiled { checked, snapshot, module: module.clone() })
}

fn findings(diagnostics: &Diagnostics, sources: &Sources) -> String {
    spec::render(diagnostics, sources, spec::Color::Plain)
}
