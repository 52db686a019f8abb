//! Reads what a mesh includes, and puts the parts together.

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::load::{Files, add_text, named_path};
use crate::mesh::Mesh;
use crate::parse::parse_fragment;
use crate::source::{FileId, Sources, Span, Spanned};
use crate::syntax::Syntax;
use crate::variables::Variables;

/// Files that one mesh is made of, at most.
const MAX_FILES: usize = 1_000;
/// Their texts together, at most.
const MAX_TOTAL_BYTES: usize = 20_000_000;

/// What was included so far.
struct Included {
    /// Paths with the place that named them; the main file's first.
    paths: Vec<(String, Option<Span>)>,
    bytes: usize,
}

/// Reads every file that the mesh includes, and those that they include; afterwards it includes nothing.
///
/// Each file is read once, whatever names it: a second naming is reported, so a circle ends. Variables are handed down
/// to what is included, not up.
pub(crate) fn include(
    mesh: &mut Mesh,
    main: &str,
    variables: &Variables,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<(FileId, Syntax)> {
    let mut included = Included { paths: vec![(main.to_owned(), None)], bytes: 0 };
    let mut read = Vec::new();
    // In the order of the text: what a file includes comes before what stands after the inclusion.
    let mut waiting: Vec<(Spanned<String>, Variables)> = Vec::new();
    let push = |waiting: &mut Vec<_>, includes: Vec<Spanned<String>>, variables: &Variables| {
        waiting.extend(includes.into_iter().rev().map(|path| (path, variables.clone())));
    };
    push(&mut waiting, std::mem::take(&mut mesh.includes), variables);
    let mut last = variables.clone();
    while let Some((named, mut variables)) = waiting.pop() {
        let Some((file, syntax)) = open(&named, &mut included, files, sources, diagnostics) else { continue };
        read.push((file, syntax));
        variables.share_room(&last);
        let part = parse_fragment(file, syntax, sources, &mut variables, diagnostics);
        last.share_room(&variables);
        let Some(mut part) = part else { continue };
        push(&mut waiting, std::mem::take(&mut part.includes), &variables);
        merge(mesh, part);
    }
    mesh.variables.clear();
    read
}

fn open(
    named: &Spanned<String>,
    included: &mut Included,
    files: &dyn Files,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<(FileId, Syntax)> {
    let refuse = |code, message: String| Diagnostic::error(code, named.span, message);
    let path = match named_path(Spanned::new(named.value.as_str(), named.span), sources) {
        Ok(path) => path,
        Err(refused) => {
            diagnostics.push(*refused);
            return None;
        }
    };
    let Some(syntax) = Syntax::of(&path) else {
        let unknown = refuse(codes::UNREADABLE_FILE, format!("`{path}` is neither KDL nor YAML"));
        diagnostics.push(unknown.help("name a file that ends with `.kdl` or `.yaml`"));
        return None;
    };
    if let Some((_, first)) = included.paths.iter().find(|(earlier, _)| *earlier == path) {
        let twice = refuse(codes::INCLUDE_LOOP, format!("`{path}` is part of this mesh already"));
        diagnostics.push(match first {
            Some(first) => twice.related(*first, "it is included here").help("include each file once"),
            None => twice.label("it is the mesh's own file").help("leave it out"),
        });
        return None;
    }
    if included.paths.len() >= MAX_FILES || included.bytes >= MAX_TOTAL_BYTES {
        let message = format!("a mesh is made of at most {MAX_FILES} files with {MAX_TOTAL_BYTES} bytes");
        diagnostics.push(refuse(codes::TOO_LARGE, message).label("this file is not read"));
        return None;
    }
    included.paths.push((path.clone(), Some(named.span)));
    match files.read(&path) {
        Ok(bytes) => {
            included.bytes += bytes.len();
            add_text(&path, bytes, sources, diagnostics).map(|file| (file, syntax))
        }
        Err(error) => {
            let missing = refuse(codes::UNREADABLE_FILE, format!("`{path}` cannot be read: {}", error.reason()));
            diagnostics.push(missing.help("put the file beside the one that includes it, or correct `include`"));
            None
        }
    }
}

/// Adds what an included file says. What holds for the whole mesh was refused there.
fn merge(mesh: &mut Mesh, part: Mesh) {
    let Mesh {
        name: _,
        variables: _,
        includes: _,
        trust_domain: _,
        rules,
        defaults: _,
        certificate_providers,
        jwt_providers,
        wasm_filters,
        ecs: _,
        services,
        nodes,
        gateways,
        overlays,
        tests,
    } = part;
    mesh.certificate_providers.extend(certificate_providers);
    mesh.jwt_providers.extend(jwt_providers);
    mesh.wasm_filters.extend(wasm_filters);
    mesh.services.extend(services);
    mesh.nodes.extend(nodes);
    mesh.gateways.extend(gateways);
    mesh.overlays.extend(overlays);
    mesh.tests.extend(tests);
    mesh.rules.levels.extend(rules.levels);
}
