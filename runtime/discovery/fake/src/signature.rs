//! Signatures of requests, version 4, checked as AWS does: by making them again.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use hmac::{Hmac, Mac};
use http::request::Parts;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Who may call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    /// Of temporary ones.
    #[serde(default)]
    pub token: Option<String>,
}

struct Signed<'a> {
    access_key: &'a str,
    /// `20261101/eu-central-1/ecs/aws4_request`
    scope: &'a str,
    headers: &'a str,
    signature: &'a str,
}

/// Whether these credentials signed this request for this service of this region.
pub(crate) fn check(
    credentials: &Credentials,
    head: &Parts,
    body: &[u8],
    region: &str,
    service: &str,
) -> Result<(), Failure> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let missing = || Failure::new("MissingAuthenticationTokenException", "Missing Authentication Token");
    let signed = header("authorization").and_then(read).ok_or_else(missing)?;
    let unknown =
        || Failure::new("UnrecognizedClientException", "The security token included in the request is invalid.");
    if signed.access_key != credentials.access_key || header("x-amz-security-token") != credentials.token.as_deref() {
        return Err(unknown());
    }
    let time = header("x-amz-date").ok_or_else(missing)?;
    let day = time.get(..8).unwrap_or_default();
    if signed.scope != format!("{day}/{region}/{service}/aws4_request") {
        let message = format!("Credential should be scoped to {region} and to the correct service: '{service}'.");
        return Err(Failure::new("InvalidSignatureException", message));
    }
    let covered: Vec<&str> = signed.headers.split(';').collect();
    let request = canonical(head, body, &covered);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{}\n{}", signed.scope, hex(&Sha256::digest(request)));
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for word in signed.scope.split('/') {
        key = keyed(&key, word);
    }
    let complete = covered.contains(&"host") && covered.contains(&"x-amz-date");
    if !complete || hex(&keyed(&key, &text)) != signed.signature {
        let message = "The request signature we calculated does not match the signature you provided. \
                       Check your AWS Secret Access Key and signing method.";
        return Err(Failure::new("InvalidSignatureException", message));
    }
    Ok(())
}

fn read(authorization: &str) -> Option<Signed<'_>> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let field = |name: &str| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    let (access_key, scope) = field("Credential")?.split_once('/')?;
    Some(Signed { access_key, scope, headers: field("SignedHeaders")?, signature: field("Signature")? })
}

/// The request in the form that is signed. All that we serve is at `/` and has no query.
fn canonical(head: &Parts, body: &[u8], covered: &[&str]) -> String {
    let values = |name: &str| {
        let values = head.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(",")
    };
    let headers: String = covered.iter().map(|name| format!("{name}:{}\n", values(name))).collect();
    let query = head.uri.query().unwrap_or_default();
    let (method, path, names) = (&head.method, head.uri.path(), covered.join(";"));
    format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{}", hex(&Sha256::digest(body)))
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    hash.update(text.as_bytes());
    hash.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
