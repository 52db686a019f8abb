//! What the tests stand on: the real Envoy, a mesh text to run, a condition to wait for.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use meshwright_local::EnvoyBinary;

/// Long enough for a loaded machine; reached only by a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn envoy() -> EnvoyBinary {
    meshwright_local::find(None).expect("Envoy is installed")
}

/// A configuration that answers `text` on port 4100 of the address, with its administration on 9901.
pub(crate) fn static_answer(address: &str, text: &str) -> String {
    format!(
        r#"
admin: {{ address: {{ socket_address: {{ address: {address}, port_value: 9901 }} }} }}
static_resources:
  listeners:
  - name: answer
    address: {{ socket_address: {{ address: {address}, port_value: 4100 }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: answer
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: {{ json_format: {{ path: "%REQ(:PATH)%", status: "%RESPONSE_CODE%" }} }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{ prefix: / }}
                direct_response: {{ status: 200, body: {{ inline_string: "{text}" }} }}
"#
    )
}

/// Whether a process runs. One that has ended and that nobody has asked about yet does not.
pub(crate) fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// Asks again and again until the answer is yes.
#[track_caller]
pub(crate) fn wait_until(what: impl Debug, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what:?}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
