//! What runs on ECS, as `discover --record` and `serve --ecs` write it: read, and never shown.

use compiler::import::ecs::{self, Joined, Options, Wants};
use compiler::observation::text;
use spec::diagnostic::Diagnostic;
use spec::load::FileError;
use spec::{Diagnostics, FileId, Mesh, SourceFile, Sources, Span, codes};

use super::{Folder, read_main};

/// Bytes of an observation.
pub(super) const MAX_BYTES: usize = 64 << 20;
const _: () = assert!((MAX_BYTES as u64) < super::MAX_INPUT_BYTES);

/// What a mesh has to do with ECS.
#[derive(Debug, Default)]
pub struct Ecs {
    /// What the mesh needs to know of AWS.
    pub wants: Wants,
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
    options: &Options,
    folder: &Folder,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> (Option<Mesh>, Ecs) {
    let Some(file) = add(name, bytes, sources, diagnostics) else { return (None, Ecs::default()) };
    let imported = ecs::import(file, options, folder, sources, diagnostics);
    let (mesh, joined) = imported.map_or((None, None), |(mesh, joined)| (Some(mesh), Some(joined)));
    (mesh, Ecs { file: Some(file), joined, ..Ecs::default() })
}

/// Adds what runs to the mesh, which stays as it is where that file is missing. Joined, it is annotated and attached, too.
pub(super) fn join(
    mesh: &mut Option<Mesh>,
    path: &str,
    options: &Options,
    folder: &Folder,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Ecs {
    let mut ecs = Ecs { wants: mesh.as_ref().map(ecs::wants).unwrap_or_default(), ..Ecs::default() };
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
    let observed = ecs.file.and_then(|file| text::read(file, sources, diagnostics));
    if let (Some(decoded), Some(observed)) = (mesh.take(), observed) {
        let (joined_mesh, joined) = ecs::join(decoded, &observed, options, folder, sources, diagnostics);
        *mesh = Some(joined_mesh);
        ecs.joined = Some(joined);
    }
    ecs
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
