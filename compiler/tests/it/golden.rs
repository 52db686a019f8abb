//! Every folder of `tests/golden` compiles to the files it holds. `UPDATE_EXPECT=1` writes them anew.

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use meshwright_compiler::import::ecs;
use meshwright_compiler::observation::text;
use meshwright_compiler::{CheckedMesh, WasmModule, check, compile, emit, lower};
use spec::load::{FileError, Files};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

/// Reads beside the case, so that no golden depends on where the project lies.
struct Beside(PathBuf);

impl Files for Beside {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        std::fs::read(self.0.join(path)).map_err(|error| FileError::new(path, error.to_string()))
    }
}

pub(crate) fn module() -> WasmModule {
    WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn checked(case: &Path) -> CheckedMesh {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let files = Beside(case.to_owned());
    let mut mesh =
        spec::load::load("mesh.kdl", Syntax::Kdl, spec::Variables::default(), &files, &mut sources, &mut diagnostics)
            .mesh
            .unwrap();
    if let Ok(observed) = std::fs::read_to_string(case.join("observed.json")) {
        let observed = sources.add(SourceFile::secret("observed.json", observed));
        let observed = text::read(observed, &sources, &mut diagnostics).unwrap();
        mesh = ecs::join(mesh, &observed, &ecs::Options::default(), &files, &mut sources, &mut diagnostics).0;
    }
    meshwright_compiler::annotation::apply(&mut mesh, &mut diagnostics);
    spec::load::attach(&mesh, &files, &mut sources, &mut diagnostics);
    let checked = check(&mesh, &sources, &mut diagnostics);
    let findings = spec::render(&diagnostics, &sources, spec::Color::Plain);
    checked.unwrap_or_else(|| panic!("{}:\n{findings}", case.display()))
}

#[test]
fn every_case_compiles_to_its_files() {
    for case in cases() {
        for (path, text) in compile(&checked(&case), &module()) {
            let expected = case.join(path);
            std::fs::create_dir_all(expected.parent().unwrap()).unwrap();
            expect_file![expected].assert_eq(&text);
        }
    }
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    for case in cases() {
        assert_eq!(compile(&checked(&case), &module()), compile(&checked(&case), &module()));
    }
}

#[test]
fn envoys_own_rules_find_nothing_wrong_and_nothing_deprecated() {
    for case in cases() {
        let mesh = checked(&case);
        for proxy in mesh.proxies() {
            let bootstrap = emit::inline(&lower(&mesh, proxy, &module()));
            let name = format!("{} of {}", mesh.proxy_name(proxy), case.display());
            assert_eq!(envoy::validate(&bootstrap), [], "{name}");
            assert_eq!(envoy::deprecated(&bootstrap), [] as [String; 0], "{name}");
        }
    }
}
