//! The one signature of a request: what it says of itself.

use alloc::string::String;
use alloc::vec::Vec;

use super::Denial;
use super::base::{combined, is_component};
use crate::Headers;
use crate::structured::{Bare, Item, Member, Parameter, dictionary, write_list};

const INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";
const ALGORITHM: &str = "hmac-sha256";

/// A signature that nobody has verified.
#[derive(Debug)]
pub(super) struct Signed {
    /// What it is about, in its order; no component twice.
    pub(super) components: Vec<String>,
    /// The components and parameters in their canonical form.
    pub(super) parameters: Vec<u8>,
    pub(super) key_id: String,
    pub(super) created: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) nonce: Option<String>,
    pub(super) signature: [u8; 32],
}

/// Which signature counts, and what it must have.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) label: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) components: Vec<String>,
    pub(super) nonce: bool,
}

impl Signed {
    pub(super) fn is_about(&self, component: &str) -> bool {
        self.components.iter().any(|known| known == component)
    }
}

/// The only signature with the label and the tag.
pub(super) fn choose(wanted: &Wanted, headers: &Headers) -> Result<Signed, Denial> {
    let field = |name| combined(headers, name).ok_or(Denial::Missing);
    let (inputs, signatures) = (field(INPUT)?, field(SIGNATURE)?);
    let inputs = dictionary(&inputs).ok_or(Denial::Malformed)?;
    let signatures = dictionary(&signatures).ok_or(Denial::Malformed)?;
    let counts = |(label, member): &(&[u8], Member<'_>)| {
        let tag = match (&wanted.tag, member) {
            (None, _) => true,
            (Some(tag), Member::List(_, parameters)) => text(parameters, "tag") == Ok(Some(tag)),
            (Some(_), Member::Item(_)) => false,
        };
        tag && wanted.label.as_ref().is_none_or(|wanted| wanted.as_bytes() == *label)
    };
    let mut inputs = inputs.into_iter().filter(counts);
    let (label, member) = inputs.next().ok_or(Denial::Missing)?;
    if inputs.next().is_some() {
        return Err(Denial::Several);
    }
    let Member::List(items, parameters) = member else { return Err(Denial::Malformed) };
    let (_, signature) = signatures.into_iter().find(|(known, _)| *known == label).ok_or(Denial::Missing)?;
    let signed = read(&items, &parameters, signature)?;
    let complete = wanted.components.iter().all(|component| signed.is_about(component));
    if !complete || (wanted.nonce && signed.nonce.is_none()) {
        return Err(Denial::Incomplete);
    }
    Ok(signed)
}

fn read(items: &[Item<'_>], parameters: &[Parameter<'_>], signature: Member<'_>) -> Result<Signed, Denial> {
    let mut components: Vec<String> = Vec::new();
    for item in items {
        let Bare::Text(component) = &item.value else { return Err(Denial::Malformed) };
        if !item.parameters.is_empty() || !is_component(component) {
            return Err(Denial::Unsupported);
        }
        if components.contains(component) {
            return Err(Denial::Malformed);
        }
        components.push(component.clone());
    }
    if text(parameters, "alg")?.is_some_and(|algorithm| algorithm != ALGORITHM) {
        return Err(Denial::Unsupported);
    }
    let Member::Item(Item { value: Bare::Bytes(signature), .. }) = signature else { return Err(Denial::Malformed) };
    Ok(Signed {
        components,
        parameters: write_list(items, parameters),
        key_id: text(parameters, "keyid")?.ok_or(Denial::Unsupported)?.clone(),
        created: seconds(parameters, "created")?,
        expires: seconds(parameters, "expires")?,
        nonce: text(parameters, "nonce")?.cloned(),
        // Other algorithms have other lengths.
        signature: signature.try_into().map_err(|_| Denial::Wrong)?,
    })
}

fn text<'p>(parameters: &'p [Parameter<'_>], key: &str) -> Result<Option<&'p String>, Denial> {
    match find(parameters, key) {
        None => Ok(None),
        Some(Bare::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Denial::Malformed),
    }
}

fn seconds(parameters: &[Parameter<'_>], key: &str) -> Result<Option<i64>, Denial> {
    match find(parameters, key) {
        None => Ok(None),
        Some(Bare::Integer(seconds)) => Ok(Some(*seconds)),
        Some(_) => Err(Denial::Malformed),
    }
}

fn find<'p>(parameters: &'p [Parameter<'_>], key: &str) -> Option<&'p Bare> {
    parameters.iter().find(|known| known.key == key.as_bytes()).map(|known| &known.value)
}
