//! A running module: calls its callbacks in the order in which Envoy does.

mod callbacks;
mod exchange;

use std::collections::BTreeMap;

use wasmtime::{Store, StoreLimitsBuilder, TypedFunc, WasmParams, WasmResults};

use self::callbacks::Callbacks;
pub use self::exchange::Exchange;
use crate::header_map::HeaderMap;
use crate::host::{Host, Phase, Stream, StreamState};
use crate::metrics::Metrics;
use crate::{End, Log, LogLevel, Module, Outcome, Randomness, StartError, Trap};

/// The number of the plugin's own context: the first that Envoy gives.
pub(crate) const ROOT_CONTEXT: u32 = 1;

const MAX_MEMORY: usize = 1 << 30;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// A request that waits longer than this is [`End::Held`].
const LONGEST_WAIT_MILLIS: u64 = 60 * 60 * 1000;

/// The world around a virtual machine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where random bytes come from.
    pub random: Randomness,
    /// Properties that the module may read, by their path with dots.
    pub properties: BTreeMap<String, Vec<u8>>,
    /// How much work each callback may do; only for [`Module::load_metered`].
    pub fuel_per_callback: Option<u64>,
    /// Envoy's `allow_on_headers_stop_iteration`: a filter that holds a request's headers is shown its body.
    pub allow_on_headers_stop_iteration: bool,
}

/// Virtual time starts on 14 November 2023.
const EPOCH_NANOS: u64 = 1_700_000_000_000_000_000;

impl Default for Options {
    fn default() -> Options {
        Options {
            random: Randomness::Seeded(0),
            properties: BTreeMap::new(),
            fuel_per_callback: None,
            allow_on_headers_stop_iteration: false,
        }
    }
}

/// A virtual machine with one configured plugin. After a trap every call fails with that trap.
pub struct Vm {
    store: Store<Host>,
    callbacks: Callbacks,
    next_context: u32,
    /// Fuel for each callback, if the module is metered.
    fuel: Option<u64>,
    fuel_used: u64,
    stops_iteration: bool,
    trap: Option<Trap>,
}

/// A request that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(u32);

impl Vm {
    pub(crate) fn start(module: &Module, root_id: &str, config: &str, options: Options) -> Result<Vm, StartError> {
        let fuel = options.fuel_per_callback.unwrap_or(u64::MAX);
        let stops_iteration = options.allow_on_headers_stop_iteration;
        let host = new_host(root_id, config, options);
        let mut store = Store::new(module.instance.module().engine(), host);
        store.limiter(|host| &mut host.limits);
        let instantiated = fuelled(&mut store, module.metered.then_some(fuel))
            .and_then(|()| module.instance.instantiate(&mut store))
            .and_then(|instance| Callbacks::find(&mut store, &instance, module.abi));
        let callbacks = instantiated.map_err(|error| trap("instantiation", &error, &[]))?;

        let mut vm = Vm {
            store,
            callbacks,
            next_context: ROOT_CONTEXT + 1,
            fuel: module.metered.then_some(fuel),
            fuel_used: 0,
            stops_iteration,
            trap: None,
        };
        vm.configure()?;
        Ok(vm)
    }

    /// Sends one request through the filter, with as much virtual time as it asks for.
    pub fn http_request<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Outcome, Trap> {
        let headers = headers.into_iter().map(|(name, value)| (name.as_ref().to_vec(), value.as_ref().to_vec()));
        self.exchange(&Exchange { request: headers.collect(), ..Exchange::default() })
    }

    /// Sends a request's headers, and leaves it where the filter wants it.
    pub fn open<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<StreamId, Trap> {
        self.open_with(headers.into_iter().collect(), true)
    }

    fn open_with(&mut self, request: HeaderMap, is_end: bool) -> Result<StreamId, Trap> {
        let context = self.next_context;
        self.next_context += 1;
        let count = u32::try_from(request.pairs().len()).unwrap_or(u32::MAX);
        self.call(ROOT_CONTEXT, "proxy_on_context_create", (context, ROOT_CONTEXT), |callbacks| {
            callbacks.on_context_create.clone()
        })?;
        let started_nanos = self.store.data().clock_nanos;
        let stream = Stream {
            request,
            body: None,
            response: None,
            started_nanos,
            state: StreamState::Open,
            reply: None,
            closed: false,
            continued: false,
        };
        self.store.data_mut().streams.insert(context, stream);
        let action = self.on_request_headers(context, count, is_end)?;
        if action == CONTINUE
            && let Some(stream) = self.store.data_mut().streams.get_mut(&context)
        {
            stream.continued = true;
        }
        self.settle();
        Ok(StreamId(context))
    }

    /// Whether the filter still holds the request.
    pub fn is_open(&self, stream: StreamId) -> bool {
        let stream = self.store.data().streams.get(&stream.0);
        stream.is_some_and(|stream| stream.state == StreamState::Open)
    }

    /// Lets virtual time pass, with every tick that the filter asked for.
    pub fn advance(&mut self, millis: u64) -> Result<(), Trap> {
        let until = self.store.data().clock_nanos.saturating_add(millis * NANOS_PER_MILLI);
        while let Some(tick) = self.store.data().tick
            && tick.next_nanos <= until
        {
            self.tick(tick.next_nanos)?;
        }
        self.store.data_mut().clock_nanos = until;
        Ok(())
    }

    /// Ends a request, as when its response is complete or its client is gone, and says what
    /// became of it.
    pub fn finish(&mut self, stream: StreamId) -> Result<Outcome, Trap> {
        let context = stream.0;
        self.call(context, "proxy_on_log", context, |callbacks| callbacks.on_log.clone())?;
        self.call(context, "proxy_on_done", context, |callbacks| callbacks.on_done.clone())?;
        let stream = self.store.data_mut().streams.remove(&context);
        self.call(context, "proxy_on_delete", context, |callbacks| callbacks.on_delete.clone())?;
        Ok(outcome(stream, self.store.data().clock_nanos))
    }

    /// Sets the time, in seconds since 1970.
    pub fn set_unix_seconds(&mut self, seconds: u64) {
        let host = self.store.data_mut();
        host.epoch_nanos = seconds.saturating_mul(1_000_000_000).saturating_sub(host.clock_nanos);
    }

    /// Sets a property that the module may read, by its path with dots.
    pub fn set_property(&mut self, path: &str, value: &[u8]) {
        self.store.data_mut().properties.insert(path.to_owned(), value.to_vec());
    }

    /// Forgets a property.
    pub fn remove_property(&mut self, path: &str) {
        self.store.data_mut().properties.remove(path);
    }

    /// What the module logged so far.
    pub fn logs(&self) -> &[Log] {
        &self.store.data().logs
    }

    /// The value of a counter, gauge or histogram by its name.
    pub fn metric(&self, name: &str) -> Option<u64> {
        self.store.data().metrics.value(name)
    }

    /// Chooses where the next random bytes come from.
    pub fn set_random(&mut self, random: Randomness) {
        self.store.data_mut().random = random;
    }

    /// The module's memory in bytes.
    pub fn memory_size(&self) -> usize {
        let exports = self.store.data().exports.as_ref();
        exports.map_or(0, |exports| exports.memory.data_size(&self.store))
    }

    /// The work done since the start, counted in instructions; 0 if the module is not metered.
    pub fn fuel_used(&self) -> u64 {
        self.fuel_used
    }

    /// Whether the module has asked to be woken.
    pub fn is_ticking(&self) -> bool {
        self.store.data().tick.is_some()
    }

    fn configure(&mut self) -> Result<(), StartError> {
        self.call(0, "_initialize", (), |callbacks| callbacks.initialize.clone())?;
        self.store.data_mut().phase = Phase::Running;
        self.call(ROOT_CONTEXT, "proxy_on_context_create", (ROOT_CONTEXT, 0), |callbacks| {
            callbacks.on_context_create.clone()
        })?;
        let size = u32::try_from(self.store.data().plugin_config.len()).unwrap_or(u32::MAX);
        let started =
            self.call(ROOT_CONTEXT, "proxy_on_vm_start", (ROOT_CONTEXT, 0), |callbacks| callbacks.on_vm_start.clone())?;
        self.require("proxy_on_vm_start", started)?;
        self.store.data_mut().phase = Phase::Configuring;
        let accepted = self.call(ROOT_CONTEXT, "proxy_on_configure", (ROOT_CONTEXT, size), |callbacks| {
            callbacks.on_configure.clone()
        })?;
        self.store.data_mut().phase = Phase::Running;
        self.require("proxy_on_configure", accepted)
    }

    /// A callback that is missing agrees.
    fn require(&self, callback: &'static str, answer: Option<u32>) -> Result<(), StartError> {
        if answer == Some(0) {
            return Err(StartError::Refused { callback, log: self.logs().to_vec() });
        }
        Ok(())
    }

    fn on_request_headers(&mut self, context: u32, count: u32, is_end: bool) -> Result<u32, Trap> {
        const NAME: &str = "proxy_on_request_headers";
        let new = self.call(context, NAME, (context, count, u32::from(is_end)), |callbacks| {
            callbacks.on_request_headers.clone()
        })?;
        let old = self.call(context, NAME, (context, count), |callbacks| callbacks.on_request_headers_0_1_0.clone())?;
        Ok(new.or(old).unwrap_or(CONTINUE))
    }

    fn tick(&mut self, at_nanos: u64) -> Result<(), Trap> {
        let host = self.store.data_mut();
        host.clock_nanos = host.clock_nanos.max(at_nanos);
        if let Some(tick) = &mut host.tick {
            tick.next_nanos = at_nanos.saturating_add(u64::from(tick.period_millis) * NANOS_PER_MILLI);
        }
        self.call(ROOT_CONTEXT, "proxy_on_tick", ROOT_CONTEXT, |callbacks| callbacks.on_tick.clone())?;
        self.settle();
        Ok(())
    }

    /// Does what hostcalls asked for once their callback has returned.
    fn settle(&mut self) {
        let host = self.store.data_mut();
        let at_nanos = host.clock_nanos;
        for stream in host.streams.values_mut() {
            let ended = stream.closed || stream.reply.is_some() || stream.continued;
            if ended && stream.state == StreamState::Open {
                stream.state = StreamState::Ended { at_nanos };
            }
        }
    }

    /// Calls one callback, if the module has it.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        context: u32,
        callback: &'static str,
        parameters: P,
        find: impl FnOnce(&Callbacks) -> Option<TypedFunc<P, R>>,
    ) -> Result<Option<R>, Trap> {
        if let Some(trap) = &self.trap {
            return Err(trap.clone());
        }
        let Some(function) = find(&self.callbacks) else {
            return Ok(None);
        };
        self.store.data_mut().effective = context;
        let logged_before = self.store.data().logs.len();
        let result = fuelled(&mut self.store, self.fuel).and_then(|()| function.call(&mut self.store, parameters));
        if let Some(given) = self.fuel {
            let left = self.store.get_fuel().unwrap_or_default();
            self.fuel_used = self.fuel_used.saturating_add(given.saturating_sub(left));
        }
        result.map(Some).map_err(|error| {
            let logs = self.store.data().logs.get(logged_before..).unwrap_or_default();
            let trap = trap(callback, &error, logs);
            self.trap = Some(trap.clone());
            trap
        })
    }
}

/// A filter's answer to a callback about a request.
const CONTINUE: u32 = 0;

fn new_host(root_id: &str, config: &str, options: Options) -> Host {
    Host {
        exports: None,
        phase: Phase::Initializing,
        root_id: root_id.to_owned(),
        plugin_config: config.as_bytes().to_vec(),
        properties: options.properties,
        effective: 0,
        streams: BTreeMap::new(),
        clock_nanos: 0,
        epoch_nanos: EPOCH_NANOS,
        shared: BTreeMap::new(),
        tick: None,
        random: options.random,
        metrics: Metrics::default(),
        logs: Vec::new(),
        limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY).build(),
    }
}

fn fuelled(store: &mut Store<Host>, fuel: Option<u64>) -> wasmtime::Result<()> {
    fuel.map_or(Ok(()), |fuel| store.set_fuel(fuel))
}

fn outcome(stream: Option<Stream>, now_nanos: u64) -> Outcome {
    let Some(stream) = stream else {
        return Outcome { delayed_millis: 0, end: End::Closed };
    };
    let ended_nanos = match stream.state {
        StreamState::Open => now_nanos,
        StreamState::Ended { at_nanos } => at_nanos,
    };
    let delayed_millis = ended_nanos.saturating_sub(stream.started_nanos) / NANOS_PER_MILLI;
    let end = match (stream.state, stream.reply) {
        (StreamState::Open, _) => End::Held,
        (_, Some(reply)) => End::Replied(reply),
        _ if stream.closed => End::Closed,
        _ => {
            let response = stream.response.map(|map| map.pairs().to_vec()).unwrap_or_default();
            End::Continued { headers: stream.request.pairs().to_vec(), response }
        }
    };
    Outcome { delayed_millis, end }
}

fn trap(callback: &'static str, error: &wasmtime::Error, logs: &[Log]) -> Trap {
    let reason = match error.downcast_ref::<wasmtime::Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let last_words = logs.iter().rev().find(|log| log.level >= LogLevel::Error);
    Trap { callback, reason, last_words: last_words.map(|log| log.message.trim_end().to_owned()) }
}
