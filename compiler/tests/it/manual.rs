//! The manual's blocks are meshes that can be compiled, and those that show a mistake show it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use meshwright_compiler::{annotation, check};
use spec::load::{FileError, Files, attach, load_text};
use spec::{Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax, Variables};

use crate::findings::findings;

/// A fenced block of a chapter.
struct Example {
    page: String,
    syntax: Syntax,
    /// The codes of the errors that it shows.
    errors: BTreeSet<String>,
    text: String,
}

/// The files that the manual's blocks name.
struct Named;

const NAMED: &[(&str, &str)] = &[
    // User ada, password lovelace.
    ("users.htpasswd", "ada:{SSHA}fjmVeynsAuHB01NAPYekjlGyptFtZXNod3JpZw==\n"),
    ("users.groups", "admins: ada\n"),
    ("clients.keys", "partner:4f1c9a7e6b2d8035c1e7f9a4b6d2c8e0\n"),
    ("clients.secrets", "partner:c1e7f9a4b6d2c8e04f1c9a7e6b2d8035\n"),
    ("partner.jwks", "{\"keys\": []}"),
    ("login.jwks", "{\"keys\": []}"),
    ("audit.json", "{}"),
    ("filters/tenant.wasm", include_str!("../golden/filters-wasm/tenant.wasm")),
    ("overlays/listener.json", "{\"per_connection_buffer_limit_bytes\": 65536}"),
    ("services/beta.kdl", "service \"beta.svc\" { endpoint \"10.0.0.91:3000\"; }\n"),
    ("services/gamma.yaml", "service: {gamma.svc: {endpoint: \"10.0.0.92:3000\"}}\n"),
];

impl Files for Named {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let found = NAMED.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| FileError::new(path, "no such file"))
    }
}

#[test]
fn every_block_can_be_compiled() {
    let shop = shop();
    let mut untrue = String::new();
    for example in examples() {
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        run(&example, &shop, &mut sources, &mut found);
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        let errors: BTreeSet<String> = errors.map(|it| it.code.slug.to_owned()).collect();
        if errors != example.errors {
            untrue.push_str(&format!("{}:\n{}\n{}\n", example.page, example.text, findings(&found, &sources)));
        }
    }
    assert_eq!(untrue, "");
}

#[test]
fn nothing_is_found_in_the_mesh_of_the_tour() {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let example = Example { page: "tour.md".to_owned(), syntax: Syntax::Kdl, errors: BTreeSet::new(), text: tour() };
    run(&example, &shop(), &mut sources, &mut found);
    assert!(found.is_empty(), "{}", findings(&found, &sources));
}

fn run(example: &Example, shop: &Mesh, sources: &mut Sources, found: &mut Diagnostics) {
    let whole = example.text.starts_with("mesh");
    let text = match example.syntax {
        _ if whole => example.text.clone(),
        Syntax::Kdl => format!("mesh \"shop\" {{\n{}}}\n", example.text),
        Syntax::Yaml => format!("mesh: shop\n{}", example.text),
    };
    // The tour's text comes first: what is taken from it has its places there.
    sources.add(SourceFile::public("tour.kdl", tour()));
    let file = sources.add(SourceFile::public("mesh", text));
    let loaded = load_text(file, example.syntax, Variables::default(), &Named, sources, found);
    let Some(mut mesh) = loaded.mesh else { return };
    if !whole {
        complete(&mut mesh, shop);
    }
    annotation::apply(&mut mesh, found);
    attach(&mesh, &Named, sources, found);
    if !found.has_errors() {
        check(&mesh, sources, found);
    }
}

/// A block that is no whole mesh stands in the tour's: what it does not say is as there.
fn complete(mesh: &mut Mesh, shop: &Mesh) {
    for service in &shop.services {
        let Some(said) = mesh.services.iter_mut().find(|it| it.name == service.name) else {
            mesh.services.push(service.clone());
            continue;
        };
        if said.endpoints.is_empty() && said.dns.is_none() && said.ecs.is_none() && said.cloud_map.is_none() {
            said.endpoints.clone_from(&service.endpoints);
        }
    }
    for node in &shop.nodes {
        if !mesh.nodes.iter().any(|it| it.name == node.name) {
            mesh.nodes.push(node.clone());
        }
    }
}

/// The mesh of the tour.
fn shop() -> Mesh {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("tour.kdl", tour()));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut found).unwrap();
    assert!(!found.has_errors(), "{}", findings(&found, &sources));
    mesh
}

fn tour() -> String {
    let pages = pages();
    let text = pages.get("tour.md").unwrap();
    blocks("tour.md", text).into_iter().find(|it| it.syntax == Syntax::Kdl).unwrap().text
}

fn examples() -> Vec<Example> {
    let pages = pages();
    // These pages are made from tables; their blocks are not meshes.
    let chapters = pages.iter().filter(|(page, _)| !["annotations.md", "schema-kdl.md"].contains(&page.as_str()));
    chapters.flat_map(|(page, text)| blocks(page, text)).collect()
}

fn blocks(page: &str, text: &str) -> Vec<Example> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let mut words = info.split(',');
        let syntax = match words.next() {
            Some("kdl") => Syntax::Kdl,
            Some("yaml") => Syntax::Yaml,
            _ => continue,
        };
        let errors = match words.next() {
            Some("unchecked") => continue,
            _ => words.map(str::to_owned).collect(),
        };
        blocks.push(Example { page: page.to_owned(), syntax, errors, text });
    }
    blocks
}

/// The chapters by their file.
fn pages() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let pages = entries.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/reference")
}
