//! A route as nightjar's discovery map has it: path, headers, query, weight and access.

use serde::Deserialize;
use spec::mesh::{HeaderMatch, HeaderValueMatch, PathMatch, QueryMatch, QueryValueMatch, RouteMatch};
use spec::{Span, Spanned};

use super::{MAX_WEIGHT, is_path, normal};

pub(super) struct Said {
    pub(super) matches: RouteMatch,
    pub(super) weight: Option<u32>,
    pub(super) public: bool,
    pub(super) access: Vec<(String, bool)>,
}

/// The reason never holds what was written.
pub(super) fn read(text: &str, span: Span) -> Result<Said, String> {
    let route: Route = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "its JSON has not the fields of a route".to_owned(),
        _ => format!("it is not JSON from column {} on", error.column()),
    })?;
    if route.weight.is_some_and(|weight| !(1..=MAX_WEIGHT).contains(&weight)) {
        return Err(format!("`weight` is not from 1 to {MAX_WEIGHT}"));
    }
    let path = match (route.path_match.match_type, route.path_match.value) {
        (PathType::Prefix, value) => PathMatch::Prefix(value),
        (PathType::Exact, value) => PathMatch::Exact(value),
        (PathType::Regex, value) => PathMatch::Regex(value),
    };
    if matches!(&path, PathMatch::Prefix(path) | PathMatch::Exact(path) if !is_path(path)) {
        return Err("its path is not one that a request can have".to_owned());
    }
    let headers = route.headers.into_iter().map(|said| header(said, span)).collect::<Result<_, _>>()?;
    let query = route.query_parameters.into_iter().map(|said| parameter(said, span)).collect::<Result<_, _>>()?;
    let matches = RouteMatch {
        path: Some(Spanned::new(path, span)),
        case_sensitive: (!route.path_match.case_sensitive).then_some(Spanned::new(false, span)),
        headers,
        query,
        ..RouteMatch::default()
    };
    Ok(Said {
        matches: normal(matches),
        weight: route.weight,
        public: route.default_access,
        access: route.namespace_access.into_iter().map(|it| (it.namespace.to_ascii_lowercase(), it.access)).collect(),
    })
}

fn header(said: Header, span: Span) -> Result<HeaderMatch, String> {
    if !is_header_name(&said.header_name) {
        return Err("a header's name is not one that a request can have".to_owned());
    }
    let value = text(said.match_type, said.value, "a header")?;
    let value = match said.match_type {
        ValueType::Exact => HeaderValueMatch::Exact(value),
        ValueType::Regex => HeaderValueMatch::Regex(value),
        ValueType::Prefix => HeaderValueMatch::Prefix(value),
        ValueType::Suffix => HeaderValueMatch::Suffix(value),
        ValueType::Present => HeaderValueMatch::Present,
    };
    Ok(HeaderMatch {
        invert: said.invert.then_some(Spanned::new(true, span)),
        ignore_case: ignores_case(said.match_type, said.case_sensitive, span),
        ..HeaderMatch::of(Spanned::new(said.header_name, span), value)
    })
}

fn parameter(said: Parameter, span: Span) -> Result<QueryMatch, String> {
    if said.parameter_name.is_empty() || said.parameter_name.contains(char::is_control) {
        return Err("a query parameter has no name".to_owned());
    }
    let value = text(said.match_type, said.value, "a query parameter")?;
    let value = match said.match_type {
        ValueType::Exact => QueryValueMatch::Exact(value),
        ValueType::Regex => QueryValueMatch::Regex(value),
        ValueType::Prefix => QueryValueMatch::Prefix(value),
        ValueType::Suffix => QueryValueMatch::Suffix(value),
        ValueType::Present => QueryValueMatch::Present,
    };
    Ok(QueryMatch {
        name: Spanned::new(said.parameter_name, span),
        value: Spanned::new(value, span),
        ignore_case: ignores_case(said.match_type, said.case_sensitive, span),
    })
}

/// RFC 9110, 5.1.
fn is_header_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}

fn text(kind: ValueType, value: Option<String>, what: &str) -> Result<String, String> {
    match (kind, value) {
        (_, Some(value)) if value.contains(char::is_control) => {
            Err(format!("{what} is compared with control characters"))
        }
        (ValueType::Present, value) => Ok(value.unwrap_or_default()),
        (ValueType::Exact, Some(value)) => Ok(value),
        (_, Some(value)) if !value.is_empty() => Ok(value),
        _ => Err(format!("{what} is compared with nothing")),
    }
}

/// Case means nothing to `present`; a regular expression says itself what it means by case.
fn ignores_case(kind: ValueType, case_sensitive: bool, span: Span) -> Option<Spanned<bool>> {
    let compares = matches!(kind, ValueType::Exact | ValueType::Prefix | ValueType::Suffix);
    (compares && !case_sensitive).then_some(Spanned::new(true, span))
}

// Further properties are allowed everywhere, as in nightjar's schema.

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Route {
    path_match: Path,
    weight: Option<u32>,
    #[serde(default = "yes")]
    default_access: bool,
    #[serde(default)]
    namespace_access: Vec<Access>,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    query_parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Path {
    match_type: PathType,
    value: String,
    #[serde(default = "yes")]
    case_sensitive: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PathType {
    Prefix,
    Exact,
    Regex,
}

#[derive(Deserialize)]
struct Access {
    namespace: String,
    access: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Header {
    header_name: String,
    match_type: ValueType,
    value: Option<String>,
    #[serde(default)]
    invert: bool,
    #[serde(default = "yes")]
    case_sensitive: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Parameter {
    parameter_name: String,
    match_type: ValueType,
    value: Option<String>,
    #[serde(default = "yes")]
    case_sensitive: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ValueType {
    Exact,
    Regex,
    Prefix,
    Suffix,
    Present,
}

fn yes() -> bool {
    true
}
