//! A host of one request that answers hostcalls as it likes. It keeps only what memory safety needs: what it hands over
//! lies where the guest's allocator put it.

use std::sync::LazyLock;

use policy::testdata::Case;
use policy::{Header, Property, pairs};
use wasmtime::{Caller, Engine, Extern, FuncType, Instance, Linker, Module, Store, Val};

use crate::chance::Chance;

/// So many hostcalls the module has, at most.
pub(crate) const HOSTCALLS: usize = 26;

/// Which hostcalls fail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failing {
    Never,
    /// The one with this number, always.
    Call(usize),
    /// Each, with this chance.
    OneIn(usize),
}

/// What the guest is told.
pub(crate) struct World {
    root_id: &'static str,
    config: Vec<u8>,
    headers: Vec<Header>,
    properties: Vec<(Property, Vec<u8>)>,
    body: Vec<u8>,
    unix_nanos: u64,
    pub(crate) chance: Chance,
    pub(crate) failing: Failing,
    /// Whether what it hands over may be anything.
    pub(crate) hostile: bool,
    has_replied: bool,
}

impl World {
    pub(crate) fn of(root_id: &'static str, config: &str) -> World {
        World {
            root_id,
            config: config.into(),
            headers: Vec::new(),
            properties: Vec::new(),
            body: Vec::new(),
            unix_nanos: 0,
            chance: Chance::of(0),
            failing: Failing::Never,
            hostile: false,
            has_replied: false,
        }
    }

    /// From now on the request is a case's.
    pub(crate) fn ask(&mut self, case: &Case) {
        const NOW: u64 = 1_790_000_000;
        self.headers = case.seen().headers().to_vec();
        self.properties = case.properties.iter().map(|(name, value)| (*name, value.clone().into_bytes())).collect();
        self.body.clone_from(&case.body);
        self.unix_nanos = case.at.unwrap_or(NOW).saturating_mul(1_000_000_000);
        self.has_replied = false;
    }

    fn fails(&mut self, call: usize) -> bool {
        match self.failing {
            Failing::Never => false,
            Failing::Call(failing) => failing == call,
            Failing::OneIn(chance) => self.chance.below(chance) == 0,
        }
    }

    /// Hands something over, or what a hostile host has instead.
    fn give(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if !self.hostile {
            return bytes;
        }
        match self.chance.below(4) {
            0 => self.chance.bytes(300),
            1 => bytes.get(..self.chance.below(bytes.len())).unwrap_or_default().to_vec(),
            2 => {
                let mut bytes = bytes;
                let place = self.chance.below(bytes.len());
                let byte = self.chance.below(256) as u8;
                bytes.iter_mut().skip(place).take(1).for_each(|old| *old = byte);
                bytes
            }
            _ => bytes,
        }
    }
}

/// A running module.
pub(crate) struct Guest {
    store: Store<World>,
    instance: Instance,
}

const ROOT: u32 = 1;

impl Guest {
    pub(crate) fn configured(root_id: &'static str, config: &str) -> Guest {
        Guest::start(World::of(root_id, config)).unwrap_or_else(|| panic!("{root_id} refuses {config}"))
    }

    /// None if the configuration is refused.
    pub(crate) fn start(world: World) -> Option<Guest> {
        static LINKED: LazyLock<(Engine, Module)> = LazyLock::new(|| {
            let engine = Engine::default();
            let module = Module::new(&engine, artifacts::MODULE).expect("the module is valid");
            (engine, module)
        });
        let (engine, module) = &*LINKED;
        let mut linker: Linker<World> = Linker::new(engine);
        for (number, import) in module.imports().enumerate() {
            assert!(number < HOSTCALLS, "more hostcalls than expected");
            let Some(kind) = import.ty().func().cloned() else { continue };
            link(&mut linker, number, import.module(), import.name(), kind);
        }
        let mut store = Store::new(engine, world);
        let instance = linker.instantiate(&mut store, module).expect("the module can be linked");
        let mut guest = Guest { store, instance };
        guest.call("_initialize", &[]);
        guest.call("proxy_on_context_create", &[ROOT, 0]);
        let size = u32::try_from(guest.world().config.len()).unwrap_or(u32::MAX);
        (guest.call("proxy_on_configure", &[ROOT, size]) == 1).then_some(guest)
    }

    pub(crate) fn world(&mut self) -> &mut World {
        self.store.data_mut()
    }

    /// Calls a callback, if the module has it. A trap is the end of the test.
    pub(crate) fn call(&mut self, callback: &str, parameters: &[u32]) -> u32 {
        let Some(function) = self.instance.get_func(&mut self.store, callback) else { return 0 };
        let parameters: Vec<Val> = parameters.iter().map(|value| Val::I32(value.cast_signed())).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        if let Err(trap) = function.call(&mut self.store, &parameters, &mut results) {
            panic!("{callback}{parameters:?} of {} trapped: {trap:?}", self.store.data().root_id);
        }
        results.first().and_then(Val::i32).unwrap_or_default().cast_unsigned()
    }

    /// Whether a request passes the filter, headers and body.
    pub(crate) fn lets_through(&mut self, context: u32, case: &Case) -> bool {
        self.world().ask(case);
        let (headers, size) = (case.request.len() as u32, case.body.len() as u32);
        self.call("proxy_on_context_create", &[context, ROOT]);
        let mut action = self.call("proxy_on_request_headers", &[context, headers, (size == 0).into()]);
        if action != 0 && size > 0 && !self.world().has_replied {
            action = self.call("proxy_on_request_body", &[context, size, 1]);
        }
        let passed = action == 0;
        self.call("proxy_on_delete", &[context]);
        passed
    }
}

fn link(linker: &mut Linker<World>, number: usize, module: &str, name: &str, kind: FuncType) {
    let called = name.to_owned();
    let linked = linker.func_new(module, name, kind, move |mut caller, parameters, results| {
        let numbers: Vec<u32> =
            parameters.iter().map(|value| value.i32().unwrap_or_default().cast_unsigned()).collect();
        let status = if caller.data_mut().fails(number) {
            failure(caller.data_mut())
        } else {
            act(&mut caller, &called, &numbers)
        };
        if let Some(result) = results.first_mut() {
            *result = Val::I32(status.cast_signed());
        }
        Ok(())
    });
    linked.expect("each hostcall is linked once");
}

fn failure(world: &mut World) -> u32 {
    *world.chance.choose(&[1, 2, 3, 4, 6, 7, 8, 10, 12, 255, u32::MAX])
}

const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;

fn act(caller: &mut Caller<'_, World>, name: &str, numbers: &[u32]) -> u32 {
    let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
    match name {
        "proxy_get_property" => {
            let path = String::from_utf8_lossy(&read(caller, at(0), at(1))).replace('\0', ".");
            let world = caller.data_mut();
            let found = match path.as_str() {
                // Which filter it is must be known.
                "plugin_root_id" => return hand_over(caller, caller.data().root_id.into(), at(2), at(3)),
                path => world
                    .properties
                    .iter()
                    .find(|(property, _)| property.path() == path)
                    .map(|(_, value)| value.clone()),
            };
            let Some(value) = found else { return NOT_FOUND };
            let value = world.give(value);
            hand_over(caller, value, at(2), at(3))
        }
        "proxy_get_buffer_bytes" => {
            const BODY: u32 = 0;
            const CONFIGURATION: u32 = 7;
            let world = caller.data();
            let whole = match at(0) {
                BODY => world.body.clone(),
                CONFIGURATION => world.config.clone(),
                _ => return BAD_ARGUMENT,
            };
            let (start, most) = (at(1) as usize, at(2) as usize);
            let part: Vec<u8> = whole.into_iter().skip(start).take(most).collect();
            hand_over(caller, part, at(3), at(4))
        }
        "proxy_get_header_map_pairs" => {
            let bytes = pairs::write(&caller.data().headers);
            let bytes = caller.data_mut().give(bytes);
            hand_over(caller, bytes, at(1), at(2))
        }
        "proxy_get_header_map_value" => {
            let name = read(caller, at(1), at(2));
            let world = caller.data_mut();
            let found = world.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            let Some(value) = found else { return NOT_FOUND };
            let value = world.give(value);
            hand_over(caller, value, at(3), at(4))
        }
        "proxy_get_shared_data" => {
            if !caller.data().hostile {
                return NOT_FOUND;
            }
            let value = caller.data_mut().chance.bytes(40);
            let version = caller.data_mut().chance.below(3) as u32;
            write(caller, at(4), &version.to_le_bytes());
            hand_over(caller, value, at(2), at(3))
        }
        "proxy_define_metric" => write(caller, at(3), &7_u32.to_le_bytes()),
        "proxy_get_metric" => {
            let value = caller.data_mut().chance.below(usize::MAX) as u64;
            write(caller, at(1), &value.to_le_bytes())
        }
        "clock_time_get" => {
            let world = caller.data_mut();
            let nanos = match (world.hostile, world.chance.below(4)) {
                (true, 0) => 0,
                (true, 1) => u64::MAX,
                (true, 2) => world.chance.below(usize::MAX) as u64,
                _ => world.unix_nanos,
            };
            write(caller, at(2), &nanos.to_le_bytes())
        }
        "random_get" => {
            let length = at(1) as usize;
            let bytes: Vec<u8> = (0..length).map(|_| caller.data_mut().chance.below(256) as u8).collect();
            write(caller, at(0), &bytes)
        }
        "proxy_send_local_response" => {
            caller.data_mut().has_replied = true;
            0
        }
        _ => 0,
    }
}

fn read(caller: &mut Caller<'_, World>, start: u32, length: u32) -> Vec<u8> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory).expect("the module has a memory");
    let (start, length) = (start as usize, length as usize);
    memory.data(&caller).get(start..start + length).expect("the guest reads its own memory").to_vec()
}

fn write(caller: &mut Caller<'_, World>, start: u32, bytes: &[u8]) -> u32 {
    let memory = caller.get_export("memory").and_then(Extern::into_memory).expect("the module has a memory");
    memory.write(caller, start as usize, bytes).expect("the guest offers its own memory");
    0
}

fn hand_over(caller: &mut Caller<'_, World>, bytes: Vec<u8>, data: u32, length: u32) -> u32 {
    let size = u32::try_from(bytes.len()).unwrap_or_default();
    let mut place = 0;
    if size > 0 {
        let allocate = caller.get_export("proxy_on_memory_allocate").and_then(Extern::into_func);
        let allocate = allocate.expect("the module has an allocator").typed::<u32, u32>(&*caller).expect("its type");
        place = allocate.call(&mut *caller, size).expect("the allocator does not trap");
        write(caller, place, &bytes);
    }
    write(caller, data, &place.to_le_bytes());
    write(caller, length, &size.to_le_bytes())
}
