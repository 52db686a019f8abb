//! A loaded module: what Envoy checks before it starts one.

use wasmtime::{Config, Engine, ExternType, FuncType, InstancePre, Linker, UnknownImportError};

use crate::host::Host;
use crate::{LoadError, Options, StartError, Vm, hostcalls, wasi};

/// A compiled module whose imports and callbacks are those of the interface. Cheap to start.
#[derive(Clone)]
pub struct Module {
    pub(crate) instance: InstancePre<Host>,
    pub(crate) abi: AbiVersion,
    pub(crate) metered: bool,
}

/// The version of the interface that a module was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AbiVersion {
    V0_1_0,
    V0_2_0,
    V0_2_1,
}

impl Module {
    /// Compiles and checks a module.
    pub fn load(bytes: &[u8]) -> Result<Module, LoadError> {
        let module = compile(bytes, &Config::new())?;
        Ok(Module { metered: false, ..module })
    }

    /// Compiles a module so that its work can be counted and limited, at some cost in speed: see
    /// [`Vm::fuel_used`] and [`Options::fuel_per_callback`].
    pub fn load_metered(bytes: &[u8]) -> Result<Module, LoadError> {
        let module = compile(bytes, Config::new().consume_fuel(true))?;
        Ok(Module { metered: true, ..module })
    }

    /// Starts a virtual machine with one plugin: the root id chooses the filter.
    pub fn start(&self, root_id: &str, config: &str, options: Options) -> Result<Vm, StartError> {
        Vm::start(self, root_id, config, options)
    }
}

fn compile(bytes: &[u8], config: &Config) -> Result<Module, LoadError> {
    let engine = Engine::new(config).map_err(invalid)?;
    let module = wasmtime::Module::new(&engine, bytes).map_err(invalid)?;
    let abi = abi_version(&module).ok_or(LoadError::NoAbiVersion)?;
    check_exports(&module, abi)?;

    let mut linker = Linker::new(&engine);
    hostcalls::link(&mut linker, &engine).map_err(invalid)?;
    wasi::link(&mut linker).map_err(invalid)?;
    let instance =
        linker.instantiate_pre(&module).map_err(|error| match error.downcast_ref::<UnknownImportError>() {
            Some(import) => LoadError::MissingImport(format!("{}.{}", import.module(), import.name())),
            None => LoadError::BadImport(format!("{error:#}")),
        })?;
    Ok(Module { instance, abi, metered: false })
}

fn invalid(error: wasmtime::Error) -> LoadError {
    LoadError::Invalid(format!("{error:#}"))
}

fn abi_version(module: &wasmtime::Module) -> Option<AbiVersion> {
    let versions = [
        ("proxy_abi_version_0_2_1", AbiVersion::V0_2_1),
        ("proxy_abi_version_0_2_0", AbiVersion::V0_2_0),
        ("proxy_abi_version_0_1_0", AbiVersion::V0_1_0),
    ];
    let exported = |(name, _): &&(&str, AbiVersion)| module.get_export(name).is_some();
    versions.iter().find(exported).map(|(_, version)| *version)
}

/// Envoy refuses a module whose callbacks have other signatures, instead of ignoring them.
fn check_exports(module: &wasmtime::Module, abi: AbiVersion) -> Result<(), LoadError> {
    if !matches!(module.get_export("memory"), Some(ExternType::Memory(_))) {
        return Err(LoadError::NoMemory);
    }
    for (name, want) in signatures(abi) {
        if let Some(ExternType::Func(function)) = module.get_export(name) {
            let has = signature(&function);
            if has != want {
                return Err(LoadError::BadSignature { name, want, has });
            }
        }
    }
    Ok(())
}

fn signatures(abi: AbiVersion) -> [(&'static str, &'static str); 15] {
    let on_headers = match abi {
        AbiVersion::V0_1_0 => "i32 i32 -> i32",
        AbiVersion::V0_2_0 | AbiVersion::V0_2_1 => "i32 i32 i32 -> i32",
    };
    [
        ("_initialize", "-> void"),
        ("_start", "-> void"),
        ("malloc", "i32 -> i32"),
        ("proxy_on_memory_allocate", "i32 -> i32"),
        ("proxy_on_context_create", "i32 i32 -> void"),
        ("proxy_on_vm_start", "i32 i32 -> i32"),
        ("proxy_on_configure", "i32 i32 -> i32"),
        ("proxy_on_request_headers", on_headers),
        ("proxy_on_request_body", "i32 i32 i32 -> i32"),
        ("proxy_on_request_trailers", "i32 i32 -> i32"),
        ("proxy_on_response_headers", on_headers),
        ("proxy_on_tick", "i32 -> void"),
        ("proxy_on_log", "i32 -> void"),
        ("proxy_on_done", "i32 -> i32"),
        ("proxy_on_delete", "i32 -> void"),
    ]
}

fn signature(function: &FuncType) -> String {
    let mut text = String::new();
    for parameter in function.params() {
        text.push_str(&format!("{parameter} "));
    }
    text.push_str("->");
    for result in function.results() {
        text.push_str(&format!(" {result}"));
    }
    if function.results().len() == 0 {
        text.push_str(" void");
    }
    text
}
