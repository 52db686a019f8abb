//! A wasm module is one that Envoy runs: of the digest that is said, for its ABI, importing nothing that it does not
//! have.

use sha2::{Digest, Sha256};
use spec::mesh::WasmFilter;
use spec::{Diagnostic, Diagnostics, codes};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, Validator};

/// Lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn check(filter: &WasmFilter, bytes: &[u8], sha256: &str, diagnostics: &mut Diagnostics) {
    let name = &filter.name.value;
    if let Some(said) = &filter.sha256
        && !said.value.eq_ignore_ascii_case(sha256)
    {
        diagnostics.push(
            Diagnostic::error(codes::WASM_DIGEST, said.span, format!("the module of `{name}` has another digest"))
                .label(format!("the file's is `{sha256}`"))
                .related(filter.module.span, "the file is named here")
                .help("say the digest of the file, or put the file there that was meant"),
        );
    }
    if let Err(reason) = read(bytes) {
        diagnostics.push(
            Diagnostic::error(
                codes::WASM_MODULE,
                filter.module.span,
                format!("Envoy cannot run the module of `{name}`"),
            )
            .label(reason)
            .help("build a module of the proxy-wasm ABI for `wasm32-wasip1` or `wasm32-unknown-unknown`"),
        );
    }
}

fn read(bytes: &[u8]) -> Result<(), String> {
    Validator::new().validate_all(bytes).map_err(|_| "this is no WebAssembly module".to_owned())?;
    let mut has_abi = false;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ImportSection(imports)) => {
                for import in imports.into_imports() {
                    let import = import.map_err(|_| "its imports cannot be read".to_owned())?;
                    known(import.module, import.name, import.ty)?;
                }
            }
            Ok(Payload::ExportSection(exports)) => {
                let functions = exports.into_iter().flatten().filter(|export| export.kind == ExternalKind::Func);
                has_abi = has_abi || functions.into_iter().any(|export| ABI_VERSIONS.contains(&export.name));
            }
            _ => {}
        }
    }
    if has_abi { Ok(()) } else { Err("it exports no `proxy_abi_version_0_2_1`, nor an earlier one".to_owned()) }
}

fn known(module: &str, name: &str, kind: TypeRef) -> Result<(), String> {
    let function = matches!(kind, TypeRef::Func(_) | TypeRef::FuncExact(_));
    let has = match module {
        "env" => HOST.contains(&name),
        "wasi_snapshot_preview1" | "wasi_unstable" => WASI.contains(&name),
        _ => false,
    };
    let quoted = spec::diagnostic::quote(&format!("{module}.{name}"));
    if function && has { Ok(()) } else { Err(format!("it imports `{quoted}`, which Envoy does not have")) }
}

const ABI_VERSIONS: &[&str] = &["proxy_abi_version_0_1_0", "proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"];

/// What Envoy 1.40 gives to modules, whatever their ABI.
const HOST: &[&str] = &[
    "emscripten_notify_memory_growth",
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_clear_route_cache",
    "proxy_close_stream",
    "proxy_continue_request",
    "proxy_continue_response",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_buffer_status",
    "proxy_get_configuration",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_size",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

const WASI: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_advise",
    "fd_allocate",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_pwrite",
    "fd_read",
    "fd_readdir",
    "fd_renumber",
    "fd_seek",
    "fd_sync",
    "fd_tell",
    "fd_write",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_open",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "poll_oneoff",
    "proc_exit",
    "random_get",
    "sched_yield",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];
