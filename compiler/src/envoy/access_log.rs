//! Access logs: what becomes of an entry, and which requests have one.

use std::collections::BTreeMap;

use envoy::config::accesslog::v3::{
    AccessLog, AccessLogFilter, AndFilter, ComparisonFilter, RuntimeFilter, StatusCodeFilter, access_log::ConfigType,
    access_log_filter::FilterSpecifier, comparison_filter::Op,
};
use envoy::config::core::v3::{
    DataSource, GrpcService, RuntimeUInt32, SubstitutionFormatString, data_source::Specifier,
    substitution_format_string::Format,
};
use envoy::extensions::access_loggers::file::v3::{FileAccessLog, file_access_log};
use envoy::extensions::access_loggers::open_telemetry::v3::OpenTelemetryAccessLogConfig;
use envoy::extensions::access_loggers::stream::v3::{StdoutAccessLog, stdout_access_log};
use envoy::opentelemetry::proto::common::v1::{AnyValue, KeyValue, KeyValueList, any_value};
use prost_types::{Struct, Value, value::Kind};
use spec::mesh::{self, AccessLogFormat};
use spec::units::Percent;

use super::http_filter::fault::share;

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

/// Where entries go that nobody sends elsewhere.
const STANDARD_OUTPUT: &str = "/dev/stdout";

/// A collector of entries, and how it calls those of this Envoy.
pub(crate) struct Collector {
    pub service: GrpcService,
    pub service_name: String,
}

/// What an access log says, for a file and for a collector. Without one, JSON on standard output.
pub(crate) fn access_logs(said: Option<&mesh::AccessLog>, collector: Option<Collector>) -> Vec<AccessLog> {
    let form = said.map_or(AccessLogFormat::Json, |said| said.format.value);
    if form == AccessLogFormat::Off {
        return Vec::new();
    }
    let filter = said.and_then(filter);
    let path = said.and_then(|said| said.path.as_ref()).map(|path| path.value.as_str());
    let file = (path.is_some() || collector.is_none()).then(|| {
        let format = match form {
            AccessLogFormat::Text => said.and_then(|said| said.line.as_ref()).map(|line| text(&line.value)),
            AccessLogFormat::Json | AccessLogFormat::Off => Some(json(said)),
        };
        to_file(path.unwrap_or(STANDARD_OUTPUT), format, filter.clone())
    });
    let collected = collector.map(|collector| AccessLog {
        name: "envoy.access_loggers.open_telemetry".to_owned(),
        filter,
        config_type: Some(ConfigType::TypedConfig(envoy::any(&to_collector(said, form, collector)))),
    });
    file.into_iter().chain(collected).collect()
}

fn to_file(path: &str, format: Option<SubstitutionFormatString>, filter: Option<AccessLogFilter>) -> AccessLog {
    if path == STANDARD_OUTPUT {
        let logger = StdoutAccessLog { access_log_format: format.map(stdout_access_log::AccessLogFormat::LogFormat) };
        return AccessLog {
            name: "envoy.access_loggers.stdout".to_owned(),
            filter,
            config_type: Some(ConfigType::TypedConfig(envoy::any(&logger))),
        };
    }
    let logger = FileAccessLog {
        path: path.to_owned(),
        access_log_format: format.map(file_access_log::AccessLogFormat::LogFormat),
    };
    AccessLog {
        name: "envoy.access_loggers.file".to_owned(),
        filter,
        config_type: Some(ConfigType::TypedConfig(envoy::any(&logger))),
    }
}

/// The keys of an entry are attributes of its record, a line is its body.
fn to_collector(
    said: Option<&mesh::AccessLog>,
    form: AccessLogFormat,
    collector: Collector,
) -> OpenTelemetryAccessLogConfig {
    let value = |text: &str| AnyValue { value: Some(any_value::Value::StringValue(text.to_owned())) };
    let pair = |(key, text): (&str, &str)| KeyValue { key: key.to_owned(), value: Some(value(text)) };
    let line = said.and_then(|said| said.line.as_ref()).filter(|_| form == AccessLogFormat::Text);
    let attributes = (form == AccessLogFormat::Json || line.is_none())
        .then(|| KeyValueList { values: fields(said).map(pair).collect() });
    OpenTelemetryAccessLogConfig {
        grpc_service: Some(collector.service),
        log_name: "meshwright".to_owned(),
        resource_attributes: Some(KeyValueList { values: vec![pair(("service.name", &collector.service_name))] }),
        body: line.map(|line| value(line.value.trim_end_matches('\n'))),
        attributes,
        ..Default::default()
    }
}

fn json(said: Option<&mesh::AccessLog>) -> SubstitutionFormatString {
    let text = |operator: &str| Value { kind: Some(Kind::StringValue(operator.to_owned())) };
    let fields: BTreeMap<_, _> = fields(said).map(|(key, operator)| (key.to_owned(), text(operator))).collect();
    SubstitutionFormatString { format: Some(Format::JsonFormat(Struct { fields })), ..Default::default() }
}

fn fields(said: Option<&mesh::AccessLog>) -> impl Iterator<Item = (&str, &str)> {
    let own = said.map_or(&[][..], |said| said.fields.as_slice());
    let usual = if own.is_empty() { &FIELDS[..] } else { &[] };
    let own = own.iter().map(|entry| (entry.key.value.as_str(), entry.value.value.as_str()));
    own.chain(usual.iter().copied())
}

/// A line each: one that does not end is ended.
fn text(line: &str) -> SubstitutionFormatString {
    let line = if line.ends_with('\n') { line.to_owned() } else { format!("{line}\n") };
    let source = DataSource { specifier: Some(Specifier::InlineString(line)), ..Default::default() };
    SubstitutionFormatString { format: Some(Format::TextFormatSource(source)), ..Default::default() }
}

fn filter(said: &mesh::AccessLog) -> Option<AccessLogFilter> {
    let statuses = said.min_status.as_ref().map(|status| {
        let at_least = RuntimeUInt32 {
            default_value: u32::from(status.value),
            runtime_key: "meshwright.access_log.min_status".to_owned(),
        };
        let comparison = ComparisonFilter { op: Op::Ge.into(), value: Some(at_least) };
        FilterSpecifier::StatusCodeFilter(StatusCodeFilter { comparison: Some(comparison) })
    });
    // By the request's id: Envoys that log the same share log the same requests.
    let percent = said.percent.as_ref().map(|percent| percent.value).filter(|percent| *percent != Percent::ALL);
    let sampled = percent.map(|percent| {
        FilterSpecifier::RuntimeFilter(RuntimeFilter {
            runtime_key: "meshwright.access_log.percent".to_owned(),
            percent_sampled: Some(share(percent)),
            use_independent_randomness: false,
        })
    });
    let one = |specifier| AccessLogFilter { filter_specifier: Some(specifier) };
    let filters: Vec<AccessLogFilter> = statuses.into_iter().chain(sampled).map(one).collect();
    match filters.len() {
        0 | 1 => filters.into_iter().next(),
        _ => Some(one(FilterSpecifier::AndFilter(AndFilter { filters }))),
    }
}
