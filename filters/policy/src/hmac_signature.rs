//! Signed requests: HTTP message signatures (RFC 9421) with shared secrets.
//!
//! What the RFC calls an application's profile: `hmac-sha256` alone, one signature a request, components without
//! parameters, and a content digest (RFC 9530) for requests with a body.

mod base;
mod fresh;
mod replay;
mod secret;
mod signed;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use subtle::ConstantTimeEq;

pub use self::base::{COMPONENTS, is_component};
use self::fresh::Window;
use self::replay::Memory;
pub use self::secret::{SigningSecret, parse_signing_secrets};
use self::signed::Signed;
use crate::decode::config;
use crate::digests::Digests;
use crate::structured::{Bare, Member, dictionary, write_text};
use crate::{Counter, Edits, Env, HeaderEdit, Headers, HttpPolicy, LocalReply, Request, Verdict, sha256};

/// The filter's root id in the wasm module.
pub const HMAC_SIGNATURE_ROOT_ID: &str = "hmac-signature";

config! {
    /// One hmac-signature plugin. A request passes with exactly one signature of one of the keys that is about all of the
    /// components, fresh, and here for the first time.
    pub struct HmacSignatureConfig {
        /// Whose requests these are: each owner has a memory of its own.
        pub owner: String,
        /// Who signs. Nobody passes, if empty.
        pub keys: Vec<SigningKey>,
        /// Who of them may pass; others get 403. All, if empty.
        pub clients: Vec<String>,
        /// What a signature must be about, beside a body.
        pub components: Vec<String>,
        /// The only label that is looked at. Without it, and without a tag, requests have one signature.
        pub label: Option<String>,
        /// The only tag that is looked at.
        pub tag: Option<String>,
        /// How many seconds a signature is good for; 0 is for ever.
        pub max_age_seconds: u32 = 0,
        /// How many seconds clocks may differ.
        pub clock_skew_seconds: u32 = 0,
        /// Whether signatures must have a nonce.
        pub require_nonce: bool = false,
        /// About how many signatures are remembered; 0 lets them come again.
        pub replay_memory: u32 = 0,
        /// Whether a body must be signed by its digest.
        pub check_body: bool = true,
        /// The header that tells the upstream the key's id. Whatever a client sends in it is removed.
        pub forward_client_header: Option<String>,
    }
}

config! {
    /// A secret and its name.
    pub struct SigningKey {
        /// The `keyid` of signatures.
        pub id: String,
        /// What both sides know.
        pub secret: SigningSecret,
    }
}

/// A prepared [`HmacSignatureConfig`].
#[derive(Debug)]
pub struct HmacSignature {
    keys: Digests<Key>,
    wanted: signed::Wanted,
    window: Window,
    memory: Option<Memory>,
    check_body: bool,
    client_header: Option<String>,
    accepted: String,
}

#[derive(Debug)]
struct Key {
    id: String,
    may_pass: bool,
    mac: secret::Mac,
}

/// The SHA-256 of nothing: of the body that no digest speaks of.
const OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
const CONTENT_DIGEST: &str = "content-digest";
const UPGRADE: &str = "upgrade";

impl HttpPolicy for HmacSignature {
    type Config = HmacSignatureConfig;
    const ROOT_ID: &'static str = HMAC_SIGNATURE_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::HmacSignatureDenied, Counter::HmacSignatureUnremembered];

    fn new(config: HmacSignatureConfig) -> HmacSignature {
        let passing = config.clients;
        let key = |key: SigningKey| {
            let may_pass = passing.is_empty() || passing.contains(&key.id);
            (sha256(key.id.as_bytes()), Key { mac: key.secret.mac(), id: key.id, may_pass })
        };
        HmacSignature {
            accepted: accepted(&config.components, config.label.as_deref(), config.tag.as_deref()),
            keys: Digests::new(config.keys.into_iter().map(key)),
            wanted: signed::Wanted {
                label: config.label,
                tag: config.tag,
                components: config.components,
                nonce: config.require_nonce,
            },
            window: Window { max_age: config.max_age_seconds, skew: config.clock_skew_seconds },
            memory: Memory::new(&config.owner, config.replay_memory),
            check_body: config.check_body,
            client_header: config.forward_client_header.map(|header| header.to_ascii_lowercase()),
        }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let headers = request.all();
        match self.decide(&headers, env) {
            Ok((edits, Some(sha256))) => Verdict::CheckBody { edits, sha256, refused: self.refuse(Denial::Body) },
            Ok((edits, None)) => Verdict::Continue(edits),
            Err(denial) => {
                env.count(match denial {
                    Denial::Unremembered => Counter::HmacSignatureUnremembered,
                    _ => Counter::HmacSignatureDenied,
                });
                Verdict::Respond(self.refuse(denial))
            }
        }
    }
}

impl HmacSignature {
    /// The edits, and the digest of the body if it must be looked at.
    fn decide(&self, headers: &Headers, env: &mut dyn Env) -> Result<(Edits, Option<[u8; 32]>), Denial> {
        let signed = signed::choose(&self.wanted, headers)?;
        let base = base::of(&signed, headers).ok_or(Denial::Malformed)?;
        // An unknown key costs as much as a known one: the nearest secret signs what nobody looks at.
        let (key, known) = self.keys.find(&sha256(signed.key_id.as_bytes())).ok_or(Denial::Wrong)?;
        let same = key.mac.sign(&[&base]).ct_eq(&signed.signature);
        if !bool::from(known & same) {
            return Err(Denial::Wrong);
        }
        let forget_at = self.window.check(&signed, env)?;
        if !key.may_pass {
            return Err(Denial::Forbidden);
        }
        let body = if self.check_body { body(&signed, headers)? } else { None };
        if let Some(memory) = &self.memory {
            let proof = signed.nonce.as_ref().map_or(&signed.signature[..], |nonce| nonce.as_bytes());
            let kind: &[u8] = if signed.nonce.is_some() { b"nonce" } else { b"signature" };
            memory.admit(&key.mac.sign(&[kind, b"\0", proof]), forget_at, env)?;
        }
        let tell = |name: &String| HeaderEdit::Replace { name: name.clone(), value: key.id.clone().into_bytes() };
        let edits: Vec<HeaderEdit> = self.client_header.iter().map(tell).collect();
        Ok((edits.into(), body))
    }

    fn refuse(&self, denial: Denial) -> LocalReply {
        let (status, body) = match denial {
            Denial::Forbidden => (403, "Forbidden\n"),
            Denial::Unremembered => (503, "Service Unavailable\n"),
            _ => (401, "Unauthorized\n"),
        };
        let mut headers = Vec::new();
        if status == 401 {
            headers = vec![
                ("www-authenticate".into(), "Signature".to_owned()),
                ("accept-signature".into(), self.accepted.clone()),
            ];
        }
        LocalReply { status, headers, body: body.into(), details: denial.details(), ..LocalReply::default() }
    }
}

/// The digest that the body must have, if it has an end.
fn body(signed: &Signed, headers: &Headers) -> Result<Option<[u8; 32]>, Denial> {
    // What follows an upgrade is no body and never ends. Unless it was the signer who asked for it, somebody else may
    // want to hide a body there.
    if headers.values(UPGRADE.as_bytes()).next().is_some() {
        return if signed.is_about(UPGRADE) { Ok(None) } else { Err(Denial::Incomplete) };
    }
    if !signed.is_about(CONTENT_DIGEST) {
        return Ok(Some(OF_NOTHING));
    }
    let field = base::combined(headers, CONTENT_DIGEST).ok_or(Denial::Malformed)?;
    let digests = dictionary(&field).ok_or(Denial::Malformed)?;
    let (_, digest) = digests.into_iter().find(|(name, _)| *name == b"sha-256").ok_or(Denial::Unsupported)?;
    let Member::Item(digest) = digest else { return Err(Denial::Malformed) };
    let Bare::Bytes(bytes) = digest.value else { return Err(Denial::Malformed) };
    bytes.try_into().map(Some).map_err(|_| Denial::Malformed)
}

/// What a signature must be like, as section 5.1 says it.
fn accepted(components: &[String], label: Option<&str>, tag: Option<&str>) -> String {
    let mut text = label.unwrap_or("sig").to_owned();
    text.push_str("=(");
    for (index, component) in components.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        write_text(component, &mut text);
    }
    text.push_str(");created;keyid;alg=\"hmac-sha256\"");
    if let Some(tag) = tag {
        text.push_str(";tag=");
        write_text(tag, &mut text);
    }
    text
}

/// Why a request was denied: for the operator's logs, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denial {
    /// No signature that counts.
    Missing,
    /// More than one that does.
    Several,
    /// Not as the RFC writes it, or about something that the request does not have.
    Malformed,
    /// Another algorithm, or something else of the RFC that is not understood here.
    Unsupported,
    /// Not about all that it must be about.
    Incomplete,
    /// Not made with that key, or the key is unknown.
    Wrong,
    /// Too old, too new, or without a time.
    Stale,
    /// Here before.
    Replayed,
    /// The body is another one.
    Body,
    /// A good signature of somebody who may not.
    Forbidden,
    /// There is no room to remember one more.
    Unremembered,
}

impl Denial {
    fn details(self) -> &'static str {
        match self {
            Denial::Missing => "meshwright_hmac_signature_denied[missing]",
            Denial::Several => "meshwright_hmac_signature_denied[several]",
            Denial::Malformed => "meshwright_hmac_signature_denied[malformed]",
            Denial::Unsupported => "meshwright_hmac_signature_denied[unsupported]",
            Denial::Incomplete => "meshwright_hmac_signature_denied[incomplete]",
            Denial::Wrong => "meshwright_hmac_signature_denied[wrong]",
            Denial::Stale => "meshwright_hmac_signature_denied[stale]",
            Denial::Replayed => "meshwright_hmac_signature_denied[replayed]",
            Denial::Body => "meshwright_hmac_signature_denied[body]",
            Denial::Forbidden => "meshwright_hmac_signature_denied[forbidden]",
            Denial::Unremembered => "meshwright_hmac_signature_unremembered",
        }
    }
}
