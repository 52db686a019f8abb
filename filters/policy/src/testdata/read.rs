//! Reads the tables.

use std::borrow::ToOwned;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::expect::HeaderExpectations;
use super::{Case, Expect, Table};
use crate::{
    BASIC_AUTH_ROOT_ID, FAULT_ROOT_ID, HEADER_ROUTING_ROOT_ID, Header, IP_ACCESS_ROOT_ID, Property, RATE_LIMIT_ROOT_ID,
};

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
        read(BASIC_AUTH_ROOT_ID, include_str!("../../testdata/basic-auth.toml"))?,
        read(FAULT_ROOT_ID, include_str!("../../testdata/fault.toml"))?,
        read(HEADER_ROUTING_ROOT_ID, include_str!("../../testdata/header-routing.toml"))?,
        read(IP_ACCESS_ROOT_ID, include_str!("../../testdata/ip-access.toml"))?,
        read(RATE_LIMIT_ROOT_ID, include_str!("../../testdata/rate-limit.toml"))?,
    ])
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
    #[serde(default)]
    body: String,
    source: Option<String>,
    peer: Option<String>,
    #[serde(default)]
    upstream: Vec<String>,
    #[serde(default = "once")]
    repeat: u32,
    #[serde(default)]
    pause_millis: u64,
    at: Option<u64>,
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
    headers_like: Vec<String>,
    #[serde(default)]
    forwarded: Vec<String>,
    #[serde(default)]
    like: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    response: Vec<String>,
    #[serde(default)]
    response_like: Vec<String>,
    #[serde(default)]
    response_absent: Vec<String>,
}

fn once() -> u32 {
    1
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
    let said = case.expect;
    let expectations = |exact: &[String], like: &[String], absent: Vec<String>| -> Result<HeaderExpectations, String> {
        Ok(HeaderExpectations { exact: headers(exact)?, like: headers(like)?, absent })
    };
    let expect = Expect {
        delay_millis: said.delay_millis,
        status: said.status,
        headers: expectations(&said.headers, &said.headers_like, Vec::new())?,
        body: said.body,
        details: said.details,
        forwarded: expectations(&said.forwarded, &said.like, said.absent)?,
        response: expectations(&said.response, &said.response_like, said.response_absent)?,
    };
    let source = case.source.map(|address| (Property::SourceAddress, address));
    let peer = case.peer.map(|uri| (Property::PeerUri, uri));
    Ok(Case {
        name: case.name,
        config: case.config,
        request,
        body: bytes(&case.body)?,
        properties: source.into_iter().chain(peer).collect(),
        upstream: headers(&case.upstream)?,
        repeat: case.repeat,
        pause_millis: case.pause_millis,
        at: case.at,
        random: case.random,
        expect,
    })
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
