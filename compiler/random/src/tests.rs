//! Random meshes are what they are said to be.

use compiler::{WasmModule, emit, lower};

use super::shuffled::shuffled;
use super::*;

const FILES: Supplied = Supplied { module: include_bytes!("../../tests/golden/filters-wasm/tenant.wasm") };

#[test]
fn the_same_seed_makes_the_same_mesh() {
    let texts = [0, 0].map(|seed| mesh(seed, 20, &FILES).unwrap().text);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn most_meshes_say_much_more_than_the_first() {
    let additions: usize = (0..20).map(|seed| mesh(seed, 40, &FILES).unwrap().additions).sum();
    assert!(additions > 20 * 8, "{additions} of 800");
}

#[test]
fn order_without_meaning_changes_no_byte() {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    for seed in 0..10 {
        let mesh = mesh(seed, 60, &FILES).unwrap();
        let expected = compiler::compile(&mesh.checked, &module);
        for order in 0..10 {
            let text = shuffled(&mesh.text, order).unwrap();
            let checked = check(&text, &FILES).unwrap_or_else(|| panic!("{text} is the same mesh"));
            let compiled = compiler::compile(&checked, &module);
            assert!(compiled.keys().eq(expected.keys()), "seed {seed}, order {order}");
            for (path, text) in &expected {
                let differing = text.lines().zip(compiled[path].lines()).find(|(one, other)| one != other);
                assert_eq!(differing, None, "{path}, seed {seed}, order {order}");
                assert_eq!(text.len(), compiled[path].len(), "{path}, seed {seed}, order {order}");
            }
        }
    }
}

#[test]
fn envoys_own_rules_find_nothing_wrong_and_nothing_deprecated() {
    let module = WasmModule { sha256: "0".repeat(64), folder: "filters".to_owned() };
    for seed in 0..12 {
        let mesh = mesh(seed, 40, &FILES).unwrap();
        for proxy in mesh.checked.proxies() {
            let bootstrap = emit::inline(&lower(&mesh.checked, proxy, &module));
            let name = format!("`{}` of seed {seed}", mesh.checked.proxy_name(proxy));
            assert_eq!(envoy::validate(&bootstrap), [], "{name}");
            assert_eq!(envoy::deprecated(&bootstrap), [] as [String; 0], "{name}");
        }
    }
}

#[test]
fn what_a_mesh_says_is_part_of_everything() {
    let said = said_in(&mesh(0, 40, &FILES).unwrap().text);
    assert!(said.contains(&("service", "endpoint")));
    // Names, and what the first mesh alone says of modules, are no choices.
    let everything = everything();
    let other: Vec<_> = said.difference(&everything).map(|(_, key)| *key).collect();
    assert!(other.iter().all(|key| ["root-id", "configuration-file"].contains(key)), "{other:?}");
}
