//! What runs on ECS, as `discover --record` and `serve --ecs` write it: read, and never shown.

use std::collections::BTreeSet;

use compiler::import::ecs::{self, Joined, Options, Wants};
use compiler::observation::text::{self, Located};
use spec::diagnostic::Diagnostic;
use spec::load::FileError;
use spec::{Diagnostics, FileId, Mesh, Name, SourceFile, Sources, Span, Spanned, codes};

use super::{Folder, Reading, read_main};

/// Bytes of an observation.
pub(super) const MAX_BYTES: usize = 64 << 20;
const _: () = assert!((MAX_BYTES as u64) < super::MAX_INPUT_BYTES);

/// What a mesh has to do with ECS.
#[derive(Debug, Default)]
pub struct Ecs {
    /// What the mesh needs to know of AWS. Nothing where its files say no mesh.
    pub wants: Option<Wants>,
    /// The ARNs of the clusters that were read.
    pub clusters: BTreeSet<String>,
    /// The observation, if there is one that is text.
    pub file: Option<FileId>,
    /// What came of joining it.
    pub joined: Option<Joined>,
    /// Why there is none, although there should be.
    pub missing: Option<FileError>,
}

impl Ecs {
    /// Names of nodes and gateways that were made of what runs, and that no mesh file says.
    pub fn discovered(&self, mesh: &Mesh) -> Vec<String> {
        let Some(file) = self.file else { return Vec::new() };
        let names = mesh.nodes.iter().map(|node| &node.name).chain(mesh.gateways.iter().map(|gateway| &gateway.name));
        names.filter(|name| name.span.file == file).map(|name| name.value.to_string()).collect()
    }
}

/// A mesh of nothing but what runs.
pub(super) fn import(
    name: &str,
    bytes: Vec<u8>,
    reading: &Reading,
    folder: &Folder,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> (Option<Mesh>, Ecs) {
    let mut ecs = Ecs { wants: Some(Wants::default()), ..Ecs::default() };
    ecs.file = add(name, bytes, sources, diagnostics);
    let of_ecs = |file| Some(Mesh::named(Spanned::new(Name::new("ecs")?, Span::new(file, 0, 0))));
    let mut mesh = ecs.file.and_then(of_ecs);
    add_tasks(&mut mesh, &mut ecs, reading, folder, sources, diagnostics);
    (mesh, ecs)
}

/// Adds what runs to the mesh, which stays as it is where that file is missing. Joined, it is annotated and attached, too.
pub(super) fn join(
    mesh: &mut Option<Mesh>,
    path: &str,
    reading: &Reading,
    folder: &Folder,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Ecs {
    // What is left of a mesh with mistakes says less than it should.
    let whole = mesh.as_ref().filter(|_| diagnostics.faults() == 0);
    let mut ecs = Ecs { wants: whole.map(ecs::wants), ..Ecs::default() };
    let bytes = match read_main(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            folder.note(path, None);
            ecs.missing = Some(error);
            return ecs;
        }
    };
    folder.note(path, Some(&bytes));
    ecs.file = add(path, bytes, sources, diagnostics);
    add_tasks(mesh, &mut ecs, reading, folder, sources, diagnostics);
    ecs
}

/// There is no mesh where what runs cannot be read.
fn add_tasks(
    mesh: &mut Option<Mesh>,
    ecs: &mut Ecs,
    reading: &Reading,
    folder: &Folder,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) {
    let observed = ecs.file.and_then(|file| text::read(file, sources, diagnostics));
    let (Some(decoded), Some(mut observed)) = (mesh.take(), observed) else { return };
    if let Some(chosen) = &reading.only_wanted {
        let said = ecs.wants.as_ref().map(|wants| &wants.clusters).unwrap_or(chosen);
        keep_only(&mut observed, if chosen.is_empty() { said } else { chosen });
    }
    ecs.clusters = observed.clusters.iter().map(|cluster| cluster.value.arn.clone()).collect();
    let options = Options { tasks_here: reading.tasks_here };
    let (joined_mesh, joined) = ecs::join(decoded, &observed, &options, folder, sources, diagnostics);
    *mesh = Some(joined_mesh);
    ecs.joined = Some(joined);
}

/// Clusters that are named as a mesh or a command line does it, and their tasks.
fn keep_only(observed: &mut Located, clusters: &BTreeSet<String>) {
    if clusters.contains("*") {
        return;
    }
    observed.clusters.retain(|cluster| match clusters.is_empty() {
        true => cluster.value.name == "default",
        false => clusters.contains(&cluster.value.name) || clusters.contains(&cluster.value.arn),
    });
    let kept: BTreeSet<&str> = observed.clusters.iter().map(|cluster| cluster.value.arn.as_str()).collect();
    observed.tasks.retain(|task| kept.contains(task.value.cluster.as_str()));
}

fn add(name: &str, bytes: Vec<u8>, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<FileId> {
    let length = bytes.len();
    let text = if length > MAX_BYTES { Err(None) } else { String::from_utf8(bytes).map_err(Some) };
    match text {
        Ok(text) => Some(sources.add(SourceFile::secret(name, text))),
        Err(why) => {
            let file = sources.add(SourceFile::secret(name, ""));
            let place = Span::new(file, 0, 0);
            diagnostics.push(match why {
                None => {
                    let message = format!("the file has {length} bytes; at most {MAX_BYTES} are read");
                    Diagnostic::error(codes::TOO_LARGE, place, message)
                }
                Some(_) => Diagnostic::error(codes::NOT_UTF8, place, "the file is not UTF-8 text")
                    .help("record it again: `meshwright discover --record FILE`"),
            });
            None
        }
    }
}
