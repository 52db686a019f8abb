//! Random meshes are what they are said to be.

use compiler::WasmModule;
use compiler::snapshot::Snapshot;
use spec::load::FileError;

use super::shuffled::shuffled;
use super::*;

struct Supplied;

impl Files for Supplied {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Ok(match path {
            "users.htpasswd" => b"ada:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n".to_vec(),
            "clients.keys" => b"partner:4f1c9a7e6b2d8035\n".to_vec(),
            "login.jwks" => b"{\"keys\": []}".to_vec(),
            "filter.wasm" => include_bytes!("../../tests/golden/filters-wasm/tenant.wasm").to_vec(),
            "audit.json" => b"{}".to_vec(),
            _ => return Err(FileError::new(path, "no such file")),
        })
    }
}

#[test]
fn the_same_seed_makes_the_same_mesh() {
    let texts = [0, 0].map(|seed| mesh(seed, 20, &Supplied).unwrap().text);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn most_meshes_say_much_more_than_the_first() {
    let additions: usize = (0..20).map(|seed| mesh(seed, 40, &Supplied).unwrap().additions).sum();
    assert!(additions > 20 * 8, "{additions} of 800");
}

#[test]
fn order_without_meaning_changes_no_byte() {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    let mut differences: Vec<String> = Vec::new();
    for seed in 0..10 {
        let mesh = mesh(seed, 60, &Supplied).unwrap();
        let expected = compiler::compile(&mesh.checked, &module);
        let served = Snapshot::of(&mesh.checked, &module);
        for order in 0..10 {
            let text = shuffled(&mesh.text, order).unwrap();
            let checked = check(&text, &Supplied).unwrap_or_else(|| panic!("{text} is the same mesh"));
            let compiled = compiler::compile(&checked, &module);
            assert!(compiled.keys().eq(expected.keys()), "seed {seed}, order {order}");
            if Snapshot::of(&checked, &module) != served {
                differences.push(format!("seed {seed}, order {order}: the snapshot"));
            }
            let changed = expected.iter().filter(|(path, text)| compiled[*path] != **text);
            for (path, text) in changed {
                let at = text.lines().zip(compiled[path].lines()).find(|(one, other)| one != other);
                differences.push(format!("seed {seed}, order {order}, {path}: {at:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
