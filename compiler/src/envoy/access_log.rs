//! The access log: one JSON object a request on standard output.

use std::collections::BTreeMap;

use envoy::config::accesslog::v3::{AccessLog, access_log::ConfigType};
use envoy::config::core::v3::{SubstitutionFormatString, substitution_format_string::Format};
use envoy::extensions::access_loggers::stream::v3::{StdoutAccessLog, stdout_access_log::AccessLogFormat};
use prost_types::{Struct, Value, value::Kind};

/// The twenty keys that bent wrote, with the values it wrote (the raw name of a cluster has its dots), and
/// `response_code_details`: which part of Envoy answered.
///
/// Operators: <https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage>.
const FIELDS: [(&str, &str); 21] = [
    ("start_time", "%START_TIME%"),
    ("method", "%REQ(:METHOD)%"),
    ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
    ("protocol", "%PROTOCOL%"),
    ("response_code", "%RESPONSE_CODE%"),
    ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
    ("response_flags", "%RESPONSE_FLAGS%"),
    ("bytes_received", "%BYTES_RECEIVED%"),
    ("bytes_sent", "%BYTES_SENT%"),
    ("duration", "%DURATION%"),
    ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
    ("user_agent", "%REQ(USER-AGENT)%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"),
    ("authority", "%REQ(:AUTHORITY)%"),
    ("upstream_host", "%UPSTREAM_HOST%"),
    ("upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"),
    ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
    ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
    ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
];

/// JSON on standard output.
pub(crate) fn json() -> AccessLog {
    let text = |operator: &str| Value { kind: Some(Kind::StringValue(operator.to_owned())) };
    let fields: BTreeMap<_, _> = FIELDS.iter().map(|(key, operator)| ((*key).to_owned(), text(operator))).collect();
    let format = SubstitutionFormatString { format: Some(Format::JsonFormat(Struct { fields })), ..Default::default() };
    let logger = StdoutAccessLog { access_log_format: Some(AccessLogFormat::LogFormat(format)) };
    AccessLog {
        name: "envoy.access_loggers.stdout".to_owned(),
        filter: None,
        config_type: Some(ConfigType::TypedConfig(envoy::any(&logger))),
    }
}
