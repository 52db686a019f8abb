//! What the module shows to Envoy.

use expect_test::{Expect, expect};
use meshwright_artifacts::{MODULE, MODULE_SHA256};
use sha2::{Digest, Sha256};
use walrus::{ExportItem, ImportKind, Module};

fn module() -> Module {
    Module::from_buffer(MODULE).expect("the module is valid")
}

#[track_caller]
fn check(mut lines: Vec<String>, expected: Expect) {
    lines.sort();
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn envoy_finds_the_callbacks_it_needs_and_no_others() {
    let module = module();
    let signature = |export: &walrus::Export| match export.item {
        ExportItem::Function(function) => {
            let signature = module.types.get(module.funcs.get(function).ty());
            let (params, results) = (signature.params().len(), signature.results().len());
            format!("{}: {params} -> {results}", export.name)
        }
        _ => format!("{}: memory", export.name),
    };
    check(
        module.exports.iter().map(signature).collect(),
        expect![[r#"
            _initialize: 0 -> 0
            memory: memory
            proxy_abi_version_0_2_1: 0 -> 0
            proxy_on_configure: 2 -> 1
            proxy_on_context_create: 2 -> 0
            proxy_on_delete: 1 -> 0
            proxy_on_memory_allocate: 1 -> 1
            proxy_on_request_body: 3 -> 1
            proxy_on_request_headers: 3 -> 1
            proxy_on_request_trailers: 2 -> 1
            proxy_on_response_headers: 3 -> 1
            proxy_on_tick: 1 -> 0
        "#]],
    );
}

#[test]
fn the_module_needs_only_these_functions() {
    let module = module();
    let name = |import: &walrus::Import| {
        assert!(matches!(import.kind, ImportKind::Function(_)), "{} is no function", import.name);
        format!("{}.{}", import.module, import.name)
    };
    check(
        module.imports.iter().map(name).collect(),
        expect![[r#"
            env.proxy_add_header_map_value
            env.proxy_continue_stream
            env.proxy_define_metric
            env.proxy_get_buffer_bytes
            env.proxy_get_header_map_pairs
            env.proxy_get_header_map_value
            env.proxy_get_metric
            env.proxy_get_property
            env.proxy_get_shared_data
            env.proxy_increment_metric
            env.proxy_log
            env.proxy_remove_header_map_value
            env.proxy_replace_header_map_value
            env.proxy_send_local_response
            env.proxy_set_effective_context
            env.proxy_set_shared_data
            env.proxy_set_tick_period_milliseconds
            wasi_snapshot_preview1.clock_time_get
            wasi_snapshot_preview1.random_get
        "#]],
    );
}

#[test]
fn the_memory_is_limited_and_small_at_first() {
    let module = module();
    let pages: Vec<_> = module.memories.iter().map(|memory| (memory.initial, memory.maximum)).collect();
    let [(initial, Some(512))] = pages[..] else { panic!("{pages:?}") };
    assert!(initial <= 4, "{initial} pages");
}

#[test]
fn no_path_of_the_building_machine_is_in_the_module() {
    for folder in [env!("CARGO_MANIFEST_DIR"), env!("OUT_DIR"), ".cargo/registry"] {
        let found = MODULE.windows(folder.len()).any(|window| window == folder.as_bytes());
        assert!(!found, "{folder}");
    }
}

#[test]
fn the_module_is_small() {
    println!("{} bytes", MODULE.len());
    assert!(MODULE.len() < 240 * 1024, "{} bytes", MODULE.len());
}

#[test]
fn the_sha256_is_the_modules() {
    let sha256: String = Sha256::digest(MODULE).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(MODULE_SHA256, sha256);
}
