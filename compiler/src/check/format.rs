//! Reads Envoy's format strings, as far as Envoy 1.40 accepts them and they show nothing secret.
//!
//! What is accepted here, Envoy accepts. Operators whose argument is a language of its own (`CEL`, `COALESCE`) are not.
//! <https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/substitution_formatter>

/// Why a format string is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What stands there, without the values around it.
    pub(super) what: String,
    pub(super) help: &'static str,
}

/// Every operator of the string, with its argument, in order.
pub(super) fn parse(text: &str) -> Result<Vec<Operator<'_>>, Refusal> {
    let mut operators = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let found = rest.get(at + 1..).unwrap_or("");
        rest = match found.strip_prefix('%') {
            Some(rest) => rest,
            None => {
                let (operator, rest) = operator(found).ok_or_else(|| lone(found))?;
                operator.check()?;
                operators.push(operator);
                rest
            }
        };
    }
    Ok(operators)
}

/// `%NAME(ARGUMENT):LENGTH%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator<'t> {
    pub(super) name: &'t str,
    pub(super) argument: Option<&'t str>,
    length: Option<&'t str>,
}

/// The operator that begins after a `%`, and what follows it.
fn operator(text: &str) -> Option<(Operator<'_>, &str)> {
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let end = text.bytes().take_while(|byte| letter(*byte)).count();
    let (name, after) = text.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    let Some(inside) = after.strip_prefix('(') else {
        let (length, rest) = ending(after)?;
        return Some((Operator { name, argument: None, length }, rest));
    };
    // The first parenthesis after which the operator can end.
    inside.match_indices(')').find_map(|(at, _)| {
        let (length, rest) = ending(inside.get(at + 1..)?)?;
        Some((Operator { name, argument: inside.get(..at), length }, rest))
    })
}

/// `%` or `:LENGTH%`, and what follows.
fn ending(text: &str) -> Option<(Option<&str>, &str)> {
    if let Some(rest) = text.strip_prefix('%') {
        return Some((None, rest));
    }
    let (length, rest) = text.strip_prefix(':')?.split_once('%')?;
    let number = !length.is_empty() && length.len() <= 9 && length.bytes().all(|byte| byte.is_ascii_digit());
    number.then_some((Some(length), rest))
}

fn lone(after: &str) -> Refusal {
    let word: String = after.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
    let what = if word.is_empty() { "a `%` that begins nothing".to_owned() } else { format!("`%{word}` does not end") };
    Refusal { what, help: "write `%%` for the sign itself, and an operator as `%NAME%` or `%NAME(ARGUMENT)%`" }
}

impl Operator<'_> {
    fn check(&self) -> Result<(), Refusal> {
        let name = self.name;
        let refuse = |what: String, help| Err(Refusal { what, help });
        if SECRET.contains(&name) {
            let help = "name what the application may tell in the mesh itself: the sidecar's environment has its keys";
            return refuse(format!("`{name}` shows what is not for others"), help);
        }
        if UNCHECKED.contains(&name) {
            let help = "use a plain operator; or an `envoy-overlay`, if nothing else will do";
            return refuse(format!("the argument of `{name}` cannot be checked"), help);
        }
        let Some((_, argument, length)) = takes(name) else {
            return refuse(
                format!("Envoy has no operator `{name}`"),
                "operators are listed in Envoy's manual, under access logging",
            );
        };
        if self.length.is_some() && !length {
            return refuse(format!("`{name}` takes no length"), "leave out `:` and the number");
        }
        // Empty parentheses are none.
        match (self.argument.filter(|said| !said.is_empty()), argument) {
            (None, Argument::Needed(_, help)) => refuse(format!("`{name}` needs an argument"), help),
            (None, _) => Ok(()),
            (Some(_), Argument::None) => refuse(format!("`{name}` takes no argument"), "leave out the parentheses"),
            (Some(said), Argument::Optional(valid, help) | Argument::Needed(valid, help)) => {
                let clean = !said.chars().any(char::is_control);
                if clean && valid(said) {
                    Ok(())
                } else {
                    refuse(format!("`{name}` does not take this argument"), help)
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Argument {
    None,
    Optional(fn(&str) -> bool, &'static str),
    Needed(fn(&str) -> bool, &'static str),
}

/// The environment of a sidecar holds the credentials of its task; files may.
const SECRET: &[&str] = &["ENVIRONMENT", "FILE_CONTENT", "SECRET"];
const UNCHECKED: &[&str] = &["CEL", "COALESCE"];

const HEADER: Argument =
    Argument::Needed(is_header, "write a header, as in `%REQ(x-user)%` or `%REQ(x-user?x-client)%`");
const TIME: Argument = Argument::Optional(|_| true, "write a format of time, as in `%START_TIME(%Y-%m-%d)%`");
const PREFIX: Argument =
    Argument::Optional(|it| it.parse().is_ok_and(|bits: u8| bits <= 128), "write how many bits are shown, as in `24`");
const STATE: Argument = Argument::Needed(is_state, "write a key, as in `%FILTER_STATE(key:PLAIN)%`");
const METADATA: Argument =
    Argument::Needed(is_path, "write a namespace and keys, as in `%DYNAMIC_METADATA(filter:key)%`");

/// What an operator takes, and whether a length.
fn takes(name: &str) -> Option<(&'static str, Argument, bool)> {
    let found = TAKING.iter().find(|(it, ..)| *it == name).copied();
    found.or_else(|| PLAIN.iter().find(|it| **it == name).map(|it| (*it, Argument::None, false)))
}

const TAKING: &[(&str, Argument, bool)] = &[
    ("CLUSTER_METADATA", METADATA, false),
    (
        "COMMON_DURATION",
        Argument::Needed(is_duration, "write two moments and a unit, as in `DS_RX_BEG:DS_TX_END:ms`"),
        false,
    ),
    ("DOWNSTREAM_PEER_CERT_V_END", TIME, false),
    ("DOWNSTREAM_PEER_CERT_V_START", TIME, false),
    ("DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT", PREFIX, false),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", PREFIX, false),
    ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", PREFIX, false),
    ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", PREFIX, false),
    ("DYNAMIC_METADATA", METADATA, true),
    ("EMIT_TIME", TIME, false),
    ("EMIT_TIME_LOCAL", TIME, false),
    ("FILTER_STATE", STATE, true),
    (
        "GRPC_STATUS",
        Argument::Optional(
            |it| ["CAMEL_STRING", "SNAKE_STRING", "NUMBER"].contains(&it),
            "write `CAMEL_STRING`, `SNAKE_STRING` or `NUMBER`",
        ),
        false,
    ),
    ("METADATA", Argument::Needed(is_metadata, "write its kind first, as in `%METADATA(ROUTE:filter:key)%`"), true),
    ("PATH", Argument::Optional(is_request_path, "write `WQ` or `NQ`, with or without the query"), true),
    ("QUERY_PARAM", Argument::Needed(|_| true, "write the parameter, as in `%QUERY_PARAM(page)%`"), true),
    ("QUERY_PARAMS", Argument::Optional(|it| ["ORIG", "DECODED"].contains(&it), "write `ORIG` or `DECODED`"), true),
    ("REQ", HEADER, true),
    ("REQUEST_HEADER", HEADER, true),
    ("RESP", HEADER, true),
    ("RESPONSE_HEADER", HEADER, true),
    ("RESPONSE_CODE_DETAILS", Argument::Optional(|it| it == "ALLOW_WHITESPACES", "write `ALLOW_WHITESPACES`"), false),
    ("RESPONSE_TRAILER", HEADER, true),
    ("START_TIME", TIME, false),
    ("START_TIME_LOCAL", TIME, false),
    ("STREAM_INFO_REQ", HEADER, true),
    ("TRAILER", HEADER, true),
    ("UPSTREAM_FILTER_STATE", STATE, true),
    ("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", PREFIX, false),
    ("UPSTREAM_METADATA", METADATA, false),
    ("UPSTREAM_PEER_CERT_V_END", TIME, false),
    ("UPSTREAM_PEER_CERT_V_START", TIME, false),
    ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", PREFIX, false),
];

fn is_header(text: &str) -> bool {
    let name = |name: &str| {
        let token = name.strip_prefix(':').unwrap_or(name);
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let mut names = text.split('?');
    names.by_ref().take(2).all(name) && names.next().is_none()
}

fn is_path(text: &str) -> bool {
    text.split(':').all(|part| !part.is_empty())
}

fn is_metadata(text: &str) -> bool {
    let kinds = ["DYNAMIC", "CLUSTER", "ROUTE", "UPSTREAM_HOST", "LISTENER", "VIRTUAL_HOST"];
    text.split_once(':').is_some_and(|(kind, path)| kinds.contains(&kind) && is_path(path))
}

fn is_state(text: &str) -> bool {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [key] | [key, "PLAIN" | "TYPED"] => !key.is_empty(),
        [key, "FIELD", field] => !key.is_empty() && !field.is_empty(),
        _ => false,
    }
}

fn is_duration(text: &str) -> bool {
    matches!(text.split(':').collect::<Vec<_>>().as_slice(), [from, to, "ms" | "us" | "ns"] if !from.is_empty() && !to.is_empty())
}

fn is_request_path(text: &str) -> bool {
    let (query, whose) = text.split_once(':').unwrap_or((text, "ORIG"));
    ["WQ", "NQ"].contains(&query) && ["ORIG", "PATH", "ORIG_OR_PATH"].contains(&whose)
}

/// Neither argument nor length.
const PLAIN: &[&str] = &[
    "ACCESS_LOG_TYPE",
    "BYTES_RECEIVED",
    "BYTES_RETRANSMITTED",
    "BYTES_SENT",
    "CONNECTION_ID",
    "CONNECTION_TERMINATION_DETAILS",
    "CUSTOM_FLAGS",
    "DOWNSTREAM_CX_RTT",
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
    "DOWNSTREAM_DETECTED_CLOSE_TYPE",
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS",
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID",
    "DOWNSTREAM_DIRECT_LOCAL_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
    "DOWNSTREAM_DIRECT_REMOTE_PORT",
    "DOWNSTREAM_HANDSHAKE_DURATION",
    "DOWNSTREAM_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_HEADER_BYTES_SENT",
    "DOWNSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID",
    "DOWNSTREAM_LOCAL_CLOSE_REASON",
    "DOWNSTREAM_LOCAL_DNS_SAN",
    "DOWNSTREAM_LOCAL_EMAIL_SAN",
    "DOWNSTREAM_LOCAL_IP_SAN",
    "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
    "DOWNSTREAM_LOCAL_PORT",
    "DOWNSTREAM_LOCAL_SUBJECT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1",
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256",
    "DOWNSTREAM_PEER_CHAIN_SERIALS",
    "DOWNSTREAM_PEER_DNS_SAN",
    "DOWNSTREAM_PEER_EMAIL_SAN",
    "DOWNSTREAM_PEER_FINGERPRINT_1",
    "DOWNSTREAM_PEER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_IP_SAN",
    "DOWNSTREAM_PEER_ISSUER",
    "DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_ISSUER_SERIAL",
    "DOWNSTREAM_PEER_OTHERNAME_SAN",
    "DOWNSTREAM_PEER_SERIAL",
    "DOWNSTREAM_PEER_SUBJECT",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_REMOTE_PORT",
    "DOWNSTREAM_TLS_CIPHER",
    "DOWNSTREAM_TLS_GROUP",
    "DOWNSTREAM_TLS_SESSION_ID",
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_WIRE_BYTES_RECEIVED",
    "DOWNSTREAM_WIRE_BYTES_SENT",
    "DURATION",
    "FILTER_CHAIN_NAME",
    "GRPC_STATUS_NUMBER",
    "HOSTNAME",
    "LISTENER_NAME",
    "LOCAL_REPLY_BODY",
    "PROTOCOL",
    "REQUESTED_SERVER_NAME",
    "REQUEST_DURATION",
    "REQUEST_HEADERS_BYTES",
    "REQUEST_TX_DURATION",
    "RESPONSE_CODE",
    "RESPONSE_DURATION",
    "RESPONSE_FLAGS",
    "RESPONSE_FLAGS_LONG",
    "RESPONSE_HEADERS_BYTES",
    "RESPONSE_TRAILERS_BYTES",
    "RESPONSE_TX_DURATION",
    "ROUNDTRIP_DURATION",
    "ROUTE_NAME",
    "ROUTE_RESOLUTION_COUNT",
    "ROUTE_RESOLUTION_TIME_US",
    "SPAN_ID",
    "STREAM_ID",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "TRACE_ID",
    "UNIQUE_ID",
    "UPSTREAM_CLUSTER",
    "UPSTREAM_CLUSTER_RAW",
    "UPSTREAM_CONNECTION_ID",
    "UPSTREAM_CONNECTION_IDS_ATTEMPTED",
    "UPSTREAM_CONNECTION_POOL_READY_DURATION",
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED",
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT",
    "UPSTREAM_DETECTED_CLOSE_TYPE",
    "UPSTREAM_HEADER_BYTES_RECEIVED",
    "UPSTREAM_HEADER_BYTES_SENT",
    "UPSTREAM_HOST",
    "UPSTREAM_HOSTS_ATTEMPTED",
    "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT",
    "UPSTREAM_HOST_NAME",
    "UPSTREAM_HOST_NAMES_ATTEMPTED",
    "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT",
    "UPSTREAM_HOST_NAME_WITHOUT_PORT",
    "UPSTREAM_LOCAL_ADDRESS",
    "UPSTREAM_LOCAL_CLOSE_REASON",
    "UPSTREAM_LOCAL_DNS_SAN",
    "UPSTREAM_LOCAL_IP_SAN",
    "UPSTREAM_LOCAL_PORT",
    "UPSTREAM_LOCAL_URI_SAN",
    "UPSTREAM_PEER_CERT",
    "UPSTREAM_PEER_DNS_SAN",
    "UPSTREAM_PEER_IP_SAN",
    "UPSTREAM_PEER_ISSUER",
    "UPSTREAM_PEER_SUBJECT",
    "UPSTREAM_PEER_URI_SAN",
    "UPSTREAM_PROTOCOL",
    "UPSTREAM_REMOTE_ADDRESS",
    "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID",
    "UPSTREAM_REMOTE_PORT",
    "UPSTREAM_REQUEST_ATTEMPT_COUNT",
    "UPSTREAM_SERVER_NAME",
    "UPSTREAM_TLS_CIPHER",
    "UPSTREAM_TLS_GROUP",
    "UPSTREAM_TLS_SESSION_ID",
    "UPSTREAM_TLS_VERSION",
    "UPSTREAM_TRANSPORT_FAILURE_REASON",
    "UPSTREAM_WIRE_BYTES_RECEIVED",
    "UPSTREAM_WIRE_BYTES_SENT",
    "VIRTUAL_CLUSTER_NAME",
];

#[cfg(test)]
mod tests {
    use super::parse;

    // What a real Envoy 1.40 said to each, both as the value of a header and as a line of an access log.
    const ACCEPTED: &[&str] = &[
        "%METADATA(DYNAMIC:a:b)%",
        "%METADATA(CLUSTER:a)%",
        "%METADATA(UPSTREAM_HOST:a:b:c)%",
        "%METADATA(LISTENER:a)%",
        "%METADATA(VIRTUAL_HOST:a)%",
        "%METADATA(ROUTE:a)%",
        "%METADATA(ROUTE:a):5%",
        "%DYNAMIC_METADATA(a)%",
        "%DYNAMIC_METADATA(a:b:c):3%",
        "%CLUSTER_METADATA(a:b)%",
        "%QUERY_PARAMS(DECODED)%",
        "%QUERY_PARAMS(ORIG):4%",
        "%PATH(WQ)%",
        "%PATH(NQ:PATH)%",
        "%PATH(NQ:ORIG_OR_PATH):5%",
        "%COMMON_DURATION(DS_TX_BEG:DS_TX_END:us)%",
        "%COMMON_DURATION(US_RX_BEG:US_RX_END:ns)%",
        "%COMMON_DURATION(US_TX_BEG:US_TX_END:ms)%",
        "%COMMON_DURATION(US_CX_BEG:US_HS_END:ms)%",
        "%COMMON_DURATION(US_CX_BEG:US_CX_END:ms)%",
        "%COMMON_DURATION(TASK_BEG:TASK_END:ms)%",
        "%COMMON_DURATION(DS_RX_BEG:my.point:ms)%",
        "%FILTER_STATE(a)%",
        "%FILTER_STATE(a:TYPED):4%",
        "%FILTER_STATE(a:FIELD:b)%",
        "%UPSTREAM_FILTER_STATE(a:PLAIN)%",
        "%REQ(:path?x)%",
        "%REQ(:authority)%",
        "%START_TIME()%",
        "%START_TIME(%)%",
        "%START_TIME(%E3f)%",
        "%START_TIME(%Q)%",
        "%START_TIME(%3f %6f %9f %s %z)%",
        "%START_TIME(100%)%",
        "%START_TIME(%1f%2f)%",
        "%EMIT_TIME(%Y-%m-%d)%",
        "%DOWNSTREAM_PEER_CERT_V_START(%b %H:%M:%S %Y %Z)%",
        "%GRPC_STATUS(CAMEL_STRING)%",
        "%QUERY_PARAM(a b)%",
        "%QUERY_PARAM(a)b)%",
        "%QUERY_PARAM(%)%",
        "%QUERY_PARAM(a:3):3%",
        "%TRAILER(x?y):3%",
        "%STREAM_INFO_REQ(x?y)%",
        "%REQUEST_HEADER(x?y)%",
        "%%%%",
        "%%REQ(x)%%",
        "a%%%%b%%",
        "%%PROTOCOL%%",
        "%PROTOCOL%%%",
        "%REQ(x)%%%y",
        "a %% b",
        "%REQ(:METHOD)%",
        "%REQ(:METHOD):10%",
        "%REQ(:METHOD?x-y):10%",
        "%START_TIME(%Y/%m/%dT%H:%M:%S%z)%",
        "%START_TIME(%s.%3f)%",
        "%START_TIME%",
        "%BYTES_SENT%%BYTES_RECEIVED%",
        "%%%BYTES_SENT%",
        "%METADATA(ROUTE:x:y)%",
        "%DYNAMIC_METADATA(a:b)%",
        "%FILTER_STATE(a:PLAIN)%",
        "%QUERY_PARAM(x)%",
        "%QUERY_PARAMS%",
        "%QUERY_PARAMS(ORIG)%",
        "%PATH(NQ)%",
        "%PATH%",
        "%PATH(WQ:ORIG)%",
        "%COMMON_DURATION(DS_RX_BEG:DS_RX_END:ms)%",
        "%DOWNSTREAM_PEER_CERT_V_START(%Y)%",
        "%EMIT_TIME(%s)%",
        "%GRPC_STATUS(SNAKE_STRING)%",
        "%STREAM_INFO_REQ(x)%",
        "%TLS_JA3_FINGERPRINT%",
        "%HOSTNAME%",
        "%CUSTOM_FLAGS%",
        "%LOCAL_REPLY_BODY%",
        "%UPSTREAM_PEER_CERT%",
        "%DOWNSTREAM_PEER_CERT%",
        "%REQ(x):0%",
    ];
    const REFUSED: &[&str] = &[
        "%METADATA%",
        "%CLUSTER_METADATA(a:b):3%",
        "%QUERY_PARAMS(RAW)%",
        "%PATH(WQ:NOPE)%",
        "%COMMON_DURATION(a:b:s)%",
        "%COMMON_DURATION(DS_RX_BEG:DS_RX_END:ms):3%",
        "%FILTER_STATE(a:FIELD)%",
        "%FILTER_STATE(a:b:c:d)%",
        "%FILTER_STATE(:PLAIN)%",
        "%REQ(a?b?c)%",
        "%REQ(x):99999999999999999999%",
        "%REQ(x)y%",
        "%REQ(a)b)%",
        "%REQ(a:b)%",
        "%START_TIME(%s):4%",
        "%GRPC_STATUS(NUMBER):3%",
        "%%%",
        "%PROTOCOL%%",
        "%%PROTOCOL%",
        "100%",
        "%REQ%",
        "%REQ()%",
        "%req(x)%",
        "%DURATION(1)%",
        "%DURATION:3%",
        "% BYTES_SENT%",
        "%BYTES_SENT %",
        "%RESPONSE_CODE:abc%",
        "%RESPONSE_CODE:10%",
        "%NOPE%",
        "%ENVIRONMENT%",
        "%FILE_CONTENT(/etc/hostname)%",
        "%FILE_CONTENT%",
        "%METADATA(NOPE:x)%",
        "%DYNAMIC_METADATA%",
        "%FILTER_STATE(a:NOPE)%",
        "%COALESCE(x)%",
        "%PATH(bogus)%",
        "%COMMON_DURATION(x)%",
        "%GRPC_STATUS(x)%",
        "%REQ(x)",
        "REQ(x)%",
        "%REQ(x%",
        "%HOSTNAME():2%",
        "%REQ(a b)%",
        "%SECRET%",
        "%UPSTREAM_HEADER_BYTES_SENT:0%",
        "%REQ(x):%",
    ];

    #[test]
    fn what_envoy_accepts_is_accepted() {
        let refused: Vec<_> = ACCEPTED.iter().filter(|text| parse(text).is_err()).collect();
        assert_eq!(refused, Vec::<&&str>::new());
    }

    #[test]
    fn what_envoy_refuses_is_refused() {
        let accepted: Vec<_> = REFUSED.iter().filter(|text| parse(text).is_ok()).collect();
        assert_eq!(accepted, Vec::<&&str>::new());
    }

    #[test]
    fn what_shows_the_environment_is_refused() {
        for text in ["%ENVIRONMENT(AWS_SECRET_ACCESS_KEY)%", "%FILE_CONTENT(/proc/self/environ)%"] {
            assert!(parse(text).unwrap_err().what.contains("is not for others"), "{text}");
        }
        assert!(parse(r#"%COALESCE({"operators":[{"command":"ENVIRONMENT","param":"PATH"}]})%"#).is_err());
    }
}
