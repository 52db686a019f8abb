//! A loaded module: what Envoy checks before it starts one.

use wasmtime::{Config, Engine, ExternType, FuncType, InstancePre, Linker, ValType};

use crate::host::Host;
use crate::{LoadError, Options, StartError, Vm, hostcalls, wasi};

/// A compiled module whose imports and callbacks are those of the interface. Cheap to start.
#[derive(Clone)]
pub struct Module {
    pub(crate) instance: InstancePre<Host>,
    pub(crate) metered: bool,
}

impl Module {
    /// Compiles and checks a module.
    pub fn load(bytes: &[u8]) -> Result<Module, LoadError> {
        compile(bytes, false)
    }

    /// Compiles a module so that its work can be counted and limited: see [`Vm::fuel_used`].
    pub fn load_metered(bytes: &[u8]) -> Result<Module, LoadError> {
        compile(bytes, true)
    }

    /// Starts a virtual machine with one plugin: the root id chooses the filter.
    pub fn start(&self, root_id: &str, config: &str, options: Options) -> Result<Vm, StartError> {
        Vm::start(self, root_id, config, options)
    }
}

fn compile(bytes: &[u8], metered: bool) -> Result<Module, LoadError> {
    let invalid = |error: wasmtime::Error| LoadError::Invalid(format!("{error:#}"));
    let mut config = Config::new();
    config.consume_fuel(metered);
    let engine = Engine::new(&config).map_err(invalid)?;
    let module = wasmtime::Module::new(&engine, bytes).map_err(invalid)?;
    check_exports(&module)?;

    let mut linker = Linker::new(&engine);
    hostcalls::link(&mut linker, &engine).map_err(invalid)?;
    wasi::link(&mut linker).map_err(invalid)?;
    let mut probe = wasmtime::Store::new(&engine, ());
    for import in module.imports() {
        if !is_linked(&linker, &import, &engine) {
            let name = format!("{}.{}", import.module(), import.name());
            return Err(LoadError::MissingImport(name));
        }
    }
    let _ = &mut probe;
    let instance = linker.instantiate_pre(&module).map_err(invalid)?;
    Ok(Module { instance, metered })
}
