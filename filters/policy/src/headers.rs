//! Changes of headers, with values made of the request.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::condition::View;
use crate::decode::config;
use crate::template::is_token;
use crate::{Counter, Decode, Edits, Env, HeaderEdit, HttpPolicy, Invalid, Request, Template, Verdict};

/// The filter's root id in the wasm module.
pub const HEADERS_ROOT_ID: &str = "headers";

config! {
    /// One headers plugin. Every value is made of the request as it came, before any change.
    pub struct HeadersConfig {
        /// Changes of the request, in order.
        pub request: Vec<HeaderChange>,
        /// Changes of the response, in order.
        pub response: Vec<HeaderChange>,
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderChange {
    /// Every value is removed.
    Remove(HeaderName),
    /// This is the only value. Where it cannot be made there is none: what came under the name does not stay.
    Set(TemplatedHeader),
    /// This is one more value, if it can be made.
    Add(TemplatedHeader),
    /// This is the value where there is none, if it can be made.
    Default(TemplatedHeader),
}

config! {
    /// A header and how its value is made.
    pub struct TemplatedHeader {
        /// The header.
        pub name: HeaderName,
        /// Its value.
        pub value: Template,
    }
}

/// The name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct HeaderName(String);

impl HeaderName {
    /// RFC 9110, 5.1: a token. No pseudo header.
    pub fn new(text: &str) -> Option<HeaderName> {
        let valid = !text.is_empty() && text.bytes().all(is_token);
        valid.then(|| HeaderName(text.to_ascii_lowercase()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Decode for HeaderName {
    fn blank() -> HeaderName {
        HeaderName(String::new())
    }

    fn decode(value: &crate::Value) -> Result<HeaderName, Invalid> {
        HeaderName::new(&String::decode(value)?).ok_or_else(|| Invalid::new("the name of a header is expected"))
    }
}

impl Decode for HeaderChange {
    fn blank() -> HeaderChange {
        HeaderChange::Remove(Decode::blank())
    }

    fn decode(value: &crate::Value) -> Result<HeaderChange, Invalid> {
        let (variant, value) = crate::decode::variant(value)?;
        match variant {
            "remove" => HeaderName::decode(value).map(HeaderChange::Remove),
            "set" => TemplatedHeader::decode(value).map(HeaderChange::Set),
            "add" => TemplatedHeader::decode(value).map(HeaderChange::Add),
            "default" => TemplatedHeader::decode(value).map(HeaderChange::Default),
            _ => Err(Invalid::new("`remove`, `set`, `add` or `default` is expected")),
        }
    }
}

/// A prepared [`HeadersConfig`].
#[derive(Debug)]
pub struct HeaderChanges {
    config: HeadersConfig,
    needs_all: bool,
}

impl HttpPolicy for HeaderChanges {
    type Config = HeadersConfig;
    const ROOT_ID: &'static str = HEADERS_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::HeadersUnfilled];

    fn new(config: HeadersConfig) -> HeaderChanges {
        let templates = config.request.iter().chain(&config.response).filter_map(HeaderChange::template);
        let needs_all = templates.into_iter().any(Template::needs_all);
        HeaderChanges { config, needs_all }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let mut view = View::of(request);
        if self.needs_all {
            view.headers();
        }
        let mut edits = |changes: &[HeaderChange]| -> Vec<HeaderEdit> {
            changes.iter().filter_map(|change| change.edit(&mut view, env)).collect()
        };
        let request = edits(&self.config.request);
        let response = edits(&self.config.response);
        Verdict::Continue(Edits { request, response })
    }
}

impl HeaderChange {
    fn template(&self) -> Option<&Template> {
        match self {
            HeaderChange::Remove(_) => None,
            HeaderChange::Set(header) | HeaderChange::Add(header) | HeaderChange::Default(header) => {
                Some(&header.value)
            }
        }
    }

    fn edit(&self, view: &mut View<'_>, env: &mut dyn Env) -> Option<HeaderEdit> {
        let (HeaderChange::Set(TemplatedHeader { name, .. })
        | HeaderChange::Add(TemplatedHeader { name, .. })
        | HeaderChange::Default(TemplatedHeader { name, .. })
        | HeaderChange::Remove(name)) = self;
        let name = name.0.clone();
        let Some(template) = self.template() else { return Some(HeaderEdit::Remove { name }) };
        let filled = template.fill(view, env);
        if filled.is_none() {
            env.count(Counter::HeadersUnfilled);
        }
        match (self, filled) {
            (HeaderChange::Remove(_), _) | (HeaderChange::Set(_), None) => Some(HeaderEdit::Remove { name }),
            (HeaderChange::Set(_), Some(value)) => Some(HeaderEdit::Replace { name, value }),
            (HeaderChange::Add(_), value) => Some(HeaderEdit::Add { name, value: value? }),
            (HeaderChange::Default(_), value) => Some(HeaderEdit::Default { name, value: value? }),
        }
    }
}
