//! The plugin's own context: finds out which filter it is, and makes its contexts.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel, MetricType};

use crate::probe::{Plugin, Probe};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Root(None)));
}}

/// Without a plugin it does nothing.
struct Root(Option<Plugin>);

struct NoOp;

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let root_id = self.get_property(vec!["plugin_root_id"]).unwrap_or_default();
        match root_id.as_slice() {
            b"sdk-no-op" => true,
            b"sdk-probe" => {
                let greeting = self.get_plugin_configuration().unwrap_or_default();
                // The SDK's functions panic on every status but OK and "not found"; their results are always `Ok`.
                let Ok(requests) = hostcalls::define_metric(MetricType::Counter, "sdk_probe_requests") else {
                    return false;
                };
                let text = String::from_utf8_lossy(&greeting);
                let logged = hostcalls::log(LogLevel::Info, &format!("sdk-probe: the greeting is `{text}`"));
                self.0 = Some(Plugin { greeting, requests });
                logged.is_ok()
            }
            _ => false,
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        match &self.0 {
            Some(plugin) => Some(Box::new(Probe(plugin.clone()))),
            None => Some(Box::new(NoOp)),
        }
    }
}

impl Context for NoOp {}
impl HttpContext for NoOp {}
