//! The tables of cases on which every engine must agree.
//!
//! A table is a TOML file with named configurations and cases. Strings that stand for header
//! names and values are bytes: each character is one byte, from `\u0000` to `\u00FF`.
//! ```toml
//! [config.one.rules]         # any configuration, as the compiler would embed it
//!
//! [[case]]
//! name = "what a user would notice"
//! config = "one"
//! request = "GET shop.svc /path?query"
//! headers = ["name: value"]  # as on the wire, in order
//! credentials = "user:pass"  # the same as the basic `authorization` header
//! random = [0, 999_999]      # draws of a million, in order; the engine's own chance without it
//! expect.forwarded = ["name: value"]  # every value of each name that is listed
//! expect.absent = ["name"]            # names that are not forwarded
//! expect.delay_millis = 50
//! expect.status = 401                 # answered by the filter; without it, forwarded
//! expect.headers = ["name: value"]    # of that answer
//! expect.body = "text"
//! expect.details = "text"
//! ```

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::{
    BASIC_AUTH_ROOT_ID, Env, FAULT_ROOT_ID, HEADER_ROUTING_ROOT_ID, Header, HeaderEdit, HeaderList, HttpPolicy,
    LocalReply, Verdict,
};

/// All cases of one filter.
#[derive(Clone, Debug)]
pub struct Table {
    /// The filter's root id.
    pub root_id: &'static str,
    /// The configurations as JSON, by name.
    pub configs: BTreeMap<String, String>,
    /// The cases, in the file's order.
    pub cases: Vec<Case>,
}

/// One request and what becomes of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the case shows.
    pub name: String,
    /// The name of the configuration.
    pub config: String,
    /// The request's headers as a client sends them, pseudo headers first.
    pub request: Vec<Header>,
    /// The numbers that chance must give: such a case is not for engines with real randomness.
    pub random: Option<Vec<u64>>,
    /// What must happen.
    pub expect: Expect,
}

/// What must happen to a request. What is not listed is not compared.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// The delay; none is no delay.
    pub delay_millis: Option<u32>,
    /// The status of the filter's own answer; none is a forwarded request.
    pub status: Option<u16>,
    /// Every value of these names in the answer.
    pub headers: Vec<Header>,
    /// The answer's body.
    pub body: Option<String>,
    /// The answer's response code details.
    pub details: Option<String>,
    /// Every value of these names in the forwarded request.
    pub forwarded: Vec<Header>,
    /// Names that the forwarded request does not have.
    pub absent: Vec<String>,
}

/// What an engine did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The delay before anything else.
    pub delay_millis: Option<u32>,
    /// Where the request ended.
    pub end: End,
}

/// Where a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was forwarded with these headers.
    Forwarded(Vec<Header>),
    /// It was answered.
    Replied {
        /// The HTTP status.
        status: u16,
        /// The headers of the answer.
        headers: Vec<Header>,
        /// The body of the answer.
        body: Vec<u8>,
        /// The response code details.
        details: String,
    },
}

/// Why a table could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not TOML, or not a table.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A configuration that JSON cannot express.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A case that makes no sense.
    #[error("case `{case}`: {problem}")]
    Case {
        /// The case's name.
        case: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Every table.
pub fn tables() -> Result<Vec<Table>, TableError> {
    Ok(vec![
        read(BASIC_AUTH_ROOT_ID, include_str!("../testdata/basic-auth.toml"))?,
        read(FAULT_ROOT_ID, include_str!("../testdata/fault.toml"))?,
        read(HEADER_ROUTING_ROOT_ID, include_str!("../testdata/header-routing.toml"))?,
    ])
}

impl Case {
    /// Compares what an engine did with what must happen.
    pub fn check(&self, observed: &Observed) -> Result<(), String> {
        if self.expect.holds_for(observed) {
            return Ok(());
        }
        let name = &self.name;
        Err(format!("{name}\n  expected {:?}\n  observed {}", self.expect, describe(observed)))
    }
}

impl Expect {
    fn holds_for(&self, observed: &Observed) -> bool {
        if self.delay_millis != observed.delay_millis {
            return false;
        }
        match (&observed.end, self.status) {
            (End::Forwarded(headers), None) => {
                let is_absent = |name: &String| !headers.iter().any(|(n, _)| n == name.as_bytes());
                has_all(headers, &self.forwarded) && self.absent.iter().all(is_absent)
            }
            (End::Replied { status, headers, body, details }, Some(expected)) => {
                *status == expected
                    && has_all(headers, &self.headers)
                    && self.body.as_ref().is_none_or(|expected| expected.as_bytes() == body)
                    && self.details.as_ref().is_none_or(|expected| expected == details)
            }
            _ => false,
        }
    }
}

/// Runs a case through a policy, without any engine.
pub fn run<P: HttpPolicy>(policy: &P, case: &Case) -> Observed {
    let mut draws = case.random.iter().flatten().copied();
    let mut random = || draws.next().unwrap_or_default();
    let mut env = Env { random: &mut random, count: &mut |_| {} };
    let mut request = HeaderList::from_wire(case.request.iter().cloned());
    match policy.on_request(&mut request, &mut env) {
        Verdict::Continue(edits) => {
            let mut headers = request.headers().to_vec();
            edits.iter().for_each(|edit| apply(edit, &mut headers));
            Observed { delay_millis: None, end: End::Forwarded(headers) }
        }
        Verdict::Respond(reply) => Observed { delay_millis: None, end: replied(reply) },
        Verdict::Delay { millis, then } => {
            let forwarded = || End::Forwarded(request.headers().to_vec());
            Observed { delay_millis: Some(millis), end: then.map_or_else(forwarded, replied) }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    config: BTreeMap<String, toml::Value>,
    case: Vec<CaseText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    name: String,
    config: String,
    request: String,
    #[serde(default)]
    headers: Vec<String>,
    credentials: Option<String>,
    random: Option<Vec<u64>>,
    expect: ExpectText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectText {
    delay_millis: Option<u32>,
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<String>,
    body: Option<String>,
    details: Option<String>,
    #[serde(default)]
    forwarded: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
}

fn read(root_id: &'static str, text: &str) -> Result<Table, TableError> {
    let table: TableText = toml::from_str(text)?;
    let json = |(name, config)| Ok((name, serde_json::to_string(&config)?));
    let configs: BTreeMap<String, String> = table.config.into_iter().map(json).collect::<Result<_, TableError>>()?;
    let mut cases = Vec::new();
    for case in table.case {
        let name = case.name.clone();
        if !configs.contains_key(&case.config) {
            let problem = format!("there is no configuration `{}`", case.config);
            return Err(TableError::Case { case: name, problem });
        }
        let case = read_case(case);
        cases.push(case.map_err(|problem| TableError::Case { case: name, problem })?);
    }
    Ok(Table { root_id, configs, cases })
}

fn read_case(case: CaseText) -> Result<Case, String> {
    let mut parts = case.request.splitn(3, ' ');
    let (Some(method), Some(authority), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("a request is written `METHOD authority /path`".to_owned());
    };
    let mut request = Vec::new();
    for (name, value) in [(":method", method), (":authority", authority), (":path", path)] {
        request.push((name.as_bytes().to_vec(), bytes(value)?));
    }
    request.extend(headers(&case.headers)?);
    if let Some(credentials) = &case.credentials {
        let encoded = STANDARD.encode(bytes(credentials)?);
        request.push((b"authorization".to_vec(), format!("Basic {encoded}").into_bytes()));
    }
    let expect = Expect {
        delay_millis: case.expect.delay_millis,
        status: case.expect.status,
        headers: headers(&case.expect.headers)?,
        body: case.expect.body,
        details: case.expect.details,
        forwarded: headers(&case.expect.forwarded)?,
        absent: case.expect.absent,
    };
    Ok(Case { name: case.name, config: case.config, request, random: case.random, expect })
}

/// Reads `name: value` lines; white space around the value is not part of it.
fn headers(lines: &[String]) -> Result<Vec<Header>, String> {
    let read = |line: &String| {
        let (name, value) = line.split_once(':').ok_or_else(|| format!("`{line}` is no `name: value`"))?;
        Ok((bytes(name)?, bytes(value.trim_matches([' ', '\t']))?))
    };
    lines.iter().map(read).collect()
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let byte = |character| u8::try_from(character).map_err(|_| format!("`{character}` is not one byte"));
    text.chars().map(byte).collect()
}

fn has_all(headers: &[Header], expected: &[Header]) -> bool {
    expected.iter().all(|(name, _)| {
        let values = |list: &[Header]| -> Vec<Vec<u8>> {
            list.iter().filter(|(n, _)| n == name).map(|(_, value)| value.clone()).collect()
        };
        values(headers) == values(expected)
    })
}

fn apply(edit: &HeaderEdit, headers: &mut Vec<Header>) {
    match edit {
        HeaderEdit::Remove { name } => headers.retain(|(known, _)| known != name.as_bytes()),
        HeaderEdit::Replace { name, value } => {
            headers.retain(|(known, _)| known != name.as_bytes());
            headers.push((name.clone().into_bytes(), value.clone()));
        }
    }
}

fn replied(reply: LocalReply) -> End {
    let header = |(name, value): (&str, String)| (name.as_bytes().to_vec(), value.into_bytes());
    End::Replied {
        status: reply.status,
        headers: reply.headers.into_iter().map(header).collect(),
        body: reply.body.as_bytes().to_vec(),
        details: reply.details.to_owned(),
    }
}

fn describe(observed: &Observed) -> String {
    let lines = |headers: &[Header]| -> Vec<String> {
        let line = |(name, value): &Header| format!("{}: {}", name.escape_ascii(), value.escape_ascii());
        headers.iter().map(line).collect()
    };
    let delay = observed.delay_millis;
    match &observed.end {
        End::Forwarded(headers) => format!("delay {delay:?}, forwarded {:?}", lines(headers)),
        End::Replied { status, headers, body, details } => {
            format!("delay {delay:?}, {status} {:?} `{}` ({details})", lines(headers), body.escape_ascii())
        }
    }
}
