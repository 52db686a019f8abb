//! Keys of callers: who has one passes, and is called by a name.

mod key_hash;
mod sources;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

pub use self::key_hash::{GivenKey, KeyHash, parse_api_keys};
use self::sources::Sources;
use crate::decode::config;
use crate::digests::Digests;
use crate::structured::write_text;
use crate::{Counter, Decode, Env, HeaderEdit, HttpPolicy, Invalid, LocalReply, Request, Verdict, sha256};

/// The filter's root id in the wasm module.
pub const API_KEY_ROOT_ID: &str = "api-key";

config! {
    /// One api-key plugin. A request must bring exactly one key, in one of the places.
    pub struct ApiKeyConfig {
        /// Where keys stand.
        pub sources: Vec<ApiKeySource>,
        /// Who has which key. Nobody passes, if empty.
        pub keys: Vec<ClientKey>,
        /// Who of them may pass; others get 403. All, if empty.
        pub clients: Vec<String>,
        /// What the challenge calls the place.
        pub realm: String,
        /// The header that tells the upstream the client's name. Whatever a client sends in it is removed.
        pub forward_client_header: Option<String>,
        /// Whether the key is taken out of the request.
        pub hide: bool = true,
    }
}

config! {
    /// A client and the hash of one of its keys.
    pub struct ClientKey {
        /// The client's name.
        pub client: String,
        /// The hash of its key.
        pub sha256: KeyHash,
    }
}

/// Where a key stands in requests.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeySource {
    /// A header.
    Header(HeaderSource),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}

config! {
    /// A header with a key.
    pub struct HeaderSource {
        /// The header's name.
        pub name: String,
        /// The word that stands before the key, in any case. Without it the header has no key.
        pub scheme: Option<String>,
    }
}

/// A prepared [`ApiKeyConfig`].
#[derive(Debug)]
pub struct ApiKey {
    sources: Sources,
    clients: Digests<Client>,
    client_header: Option<String>,
    challenge: String,
    hide: bool,
}

#[derive(Debug)]
struct Client {
    name: String,
    may_pass: bool,
}

impl HttpPolicy for ApiKey {
    type Config = ApiKeyConfig;
    const ROOT_ID: &'static str = API_KEY_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::ApiKeyDenied];

    fn new(config: ApiKeyConfig) -> ApiKey {
        let (keys, passing) = (config.keys, config.clients);
        let client = |key: ClientKey| {
            let may_pass = passing.is_empty() || passing.contains(&key.client);
            (key.sha256.digest(), Client { name: key.client, may_pass })
        };
        let scheme = config.sources.iter().find_map(|source| match source {
            ApiKeySource::Header(header) => header.scheme.clone(),
            ApiKeySource::Query(_) | ApiKeySource::Cookie(_) => None,
        });
        let mut challenge = scheme.unwrap_or_else(|| "ApiKey".to_owned());
        challenge.push_str(" realm=");
        write_text(&config.realm, &mut challenge);
        ApiKey {
            sources: Sources::new(config.sources),
            clients: Digests::new(keys.into_iter().map(client)),
            client_header: config.forward_client_header.map(|header| header.to_ascii_lowercase()),
            challenge,
            hide: config.hide,
        }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        match self.decide(request) {
            Ok(edits) => Verdict::Continue(edits.into()),
            Err(denial) => {
                env.count(Counter::ApiKeyDenied);
                Verdict::Respond(self.refuse(denial))
            }
        }
    }
}

impl ApiKey {
    fn decide(&self, request: &mut dyn Request) -> Result<Vec<HeaderEdit>, Denial> {
        let view = self.sources.view(request);
        let mut found = self.sources.keys(&view);
        let only = found.pop().ok_or(Denial::Missing)?;
        if !found.is_empty() {
            return Err(Denial::Several);
        }
        let (client, same) = self.clients.find(&sha256(&only.key)).ok_or(Denial::Wrong)?;
        if !bool::from(same) {
            return Err(Denial::Wrong);
        }
        if !client.may_pass {
            return Err(Denial::Forbidden);
        }
        let mut edits = Vec::new();
        if self.hide {
            edits.push(view.without(only.source));
        }
        if let Some(name) = &self.client_header {
            edits.push(HeaderEdit::Replace { name: name.clone(), value: client.name.clone().into_bytes() });
        }
        Ok(edits)
    }

    fn refuse(&self, denial: Denial) -> LocalReply {
        if denial == Denial::Forbidden {
            return LocalReply {
                status: 403,
                body: "Forbidden\n".into(),
                details: denial.details(),
                ..LocalReply::default()
            };
        }
        LocalReply {
            status: 401,
            headers: vec![("www-authenticate".into(), self.challenge.clone())],
            body: "Unauthorized\n".into(),
            details: denial.details(),
            ..LocalReply::default()
        }
    }
}

/// Why a request was denied: for the operator's logs, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denial {
    Missing,
    Several,
    Wrong,
    Forbidden,
}

impl Denial {
    fn details(self) -> &'static str {
        match self {
            Denial::Missing => "meshwright_api_key_denied[missing]",
            Denial::Several => "meshwright_api_key_denied[several]",
            Denial::Wrong => "meshwright_api_key_denied[wrong]",
            Denial::Forbidden => "meshwright_api_key_denied[forbidden]",
        }
    }
}

impl Decode for ApiKeySource {
    fn blank() -> ApiKeySource {
        ApiKeySource::Query(String::new())
    }

    fn decode(value: &crate::Value) -> Result<ApiKeySource, Invalid> {
        let (variant, value) = crate::decode::variant(value)?;
        match variant {
            "header" => HeaderSource::decode(value).map(ApiKeySource::Header),
            "query" => String::decode(value).map(ApiKeySource::Query),
            "cookie" => String::decode(value).map(ApiKeySource::Cookie),
            _ => Err(Invalid::new("`header`, `query` or `cookie` is expected")),
        }
    }
}
