//! What runs on ECS becomes a part of the mesh, and what is wrong with one task is its own trouble.

mod absent;
mod aws;
mod claims;
mod disputes;
mod hostile;
mod lifecycle;
mod nodes;
mod owners;
mod places;

use meshwright_compiler::import::ecs::{self, Joined, Options};
use meshwright_compiler::observation::{Observation, text};
use meshwright_compiler::{annotation, check, compile};
use spec::load::{FileError, Files};
use spec::{Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax, Variables};

use crate::findings::findings;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Err(FileError::new(path, "no such file"))
    }
}

/// A mesh joined with what runs.
pub(crate) struct Outcome {
    mesh: Mesh,
    joined: Joined,
    findings: Diagnostics,
    sources: Sources,
}

fn join(mesh: &str, observation: &Observation) -> Outcome {
    join_with(mesh, &text::write(observation), &Options::default())
}

fn join_with(mesh: &str, observed: &str, options: &Options) -> Outcome {
    let (mut sources, mut findings) = (Sources::new(), Diagnostics::new());
    let main = sources.add(SourceFile::public("mesh.kdl", format!("mesh \"shop\" {{\n{mesh}\n}}\n")));
    let loaded = spec::load::load_text(main, Syntax::Kdl, Variables::default(), &NoFiles, &mut sources, &mut findings);
    let file = sources.add(SourceFile::secret("observed.json", observed));
    let observed = text::read(file, &sources, &mut findings).unwrap();
    let mesh = loaded.mesh.unwrap();
    let (mesh, joined) = ecs::join(mesh, &observed, options, &NoFiles, &mut sources, &mut findings);
    Outcome { mesh, joined, findings, sources }
}

impl Outcome {
    /// The mesh is one that can be compiled, and Envoy's own rules find nothing wrong with it.
    #[track_caller]
    fn compiled(&self) -> std::collections::BTreeMap<String, String> {
        let mut found = self.findings.clone();
        let mut again = self.mesh.clone();
        annotation::apply(&mut again, &mut found);
        let checked = check(&again, &self.sources, &mut found);
        assert_eq!(found.count(Severity::Error), 0, "{}", findings(&found, &self.sources));
        let checked = checked.unwrap();
        for proxy in checked.proxies() {
            let bootstrap = meshwright_compiler::emit::inline(&meshwright_compiler::lower(
                &checked,
                proxy,
                &crate::golden::module(),
            ));
            assert_eq!(envoy::validate(&bootstrap), [], "{}", checked.proxy_name(proxy));
        }
        compile(&checked, &crate::golden::module())
    }

    /// `SERVICE ADDRESS -> NODE` for each endpoint, with what callers dial where that is not port 4100.
    fn endpoints(&self) -> Vec<String> {
        let endpoints = self.mesh.services.iter().flat_map(|service| {
            service.endpoints.iter().map(|endpoint| {
                let node = endpoint.node.as_ref().map_or("nobody", |node| node.value.as_str());
                let ingress = endpoint.ingress_port.map_or(String::new(), |port| format!(":{}", port.value));
                format!("{} {} -> {node}{ingress}", service.name.value, endpoint.address.value)
            })
        });
        endpoints.collect()
    }

    /// Code and message of each finding.
    fn found(&self) -> Vec<String> {
        self.findings.iter().map(|it| format!("{}: {}", it.code.slug, it.message)).collect()
    }

    fn aliases(&self) -> Vec<String> {
        self.joined.aliases.iter().map(|(alias, name)| format!("{alias} = {name}")).collect()
    }

    fn nodes(&self) -> String {
        let mut nodes = Mesh::named(self.mesh.name.clone());
        nodes.nodes = self.mesh.nodes.clone();
        spec::print(&nodes, Syntax::Kdl)
    }

    fn kdl(&self) -> String {
        spec::print(&self.mesh, Syntax::Kdl)
    }
}
