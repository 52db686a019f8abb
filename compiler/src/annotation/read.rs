//! Reads the text of an annotation as the type its definition names.

use std::time::Duration;

use spec::units::{Percent, StatusRange, parse_duration};
use spec::{Span, Spanned};

use super::definition::{Definition, Kind, Slot};
use super::routing;
use super::settings::Settings;

/// What became of a value that was put into settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is the first, or says what was said before.
    Kept,
    /// It contradicts what was said before, which stays.
    Conflict,
    /// It is not what the definition accepts.
    Invalid,
}

/// Reads `text` and keeps it in `settings`.
pub(crate) fn read(definition: &Definition, text: &str, span: Span, settings: &mut Settings) -> Outcome {
    match &definition.kind {
        Kind::Presence(slot) => keep(Some(()), span, *slot, settings),
        Kind::Text(slot) => keep(plain_text(text), span, *slot, settings),
        Kind::Path(slot) => keep(path(text), span, *slot, settings),
        Kind::Millis(range, slot) => {
            let limits = Duration::from_millis((*range.start()).into())..=Duration::from_millis((*range.end()).into());
            let bare = whole::<u32>(text).map(|millis| Duration::from_millis(millis.into()));
            let duration = bare.or_else(|| parse_duration(text)).filter(|duration| limits.contains(duration));
            keep(duration, span, *slot, settings)
        }
        Kind::Number(range, slot) => keep(whole(text).filter(|number| range.contains(number)), span, *slot, settings),
        Kind::Port(slot) => keep(whole(text), span, *slot, settings),
        Kind::Status(range, slot) => keep(whole(text).filter(|status| range.contains(status)), span, *slot, settings),
        Kind::Statuses(slot) => keep(statuses(text), span, *slot, settings),
        Kind::Percent(slot) => keep(Percent::parse(text), span, *slot, settings),
        Kind::Routing(slot) => keep(routing::rules(text, span), span, *slot, settings),
    }
}

/// What to write instead of `text`.
pub(crate) fn advice(definition: &Definition, text: &str) -> String {
    let accepts = definition.accepts();
    match (&definition.kind, parse_duration(text)) {
        (Kind::Millis(..), Some(meant)) => {
            format!("`{}` takes {accepts}: write `{}`", definition.key, meant.as_millis())
        }
        _ => format!("`{}` takes {accepts}", definition.key),
    }
}

fn keep<T: PartialEq>(value: Option<T>, span: Span, slot: Slot<T>, settings: &mut Settings) -> Outcome {
    let Some(value) = value else { return Outcome::Invalid };
    match slot(settings) {
        Some(earlier) if earlier.value == value => Outcome::Kept,
        Some(_) => Outcome::Conflict,
        empty => {
            *empty = Some(Spanned::new(value, span));
            Outcome::Kept
        }
    }
}

/// Digits only: no sign, no spaces, no exponent.
fn whole<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn plain_text(text: &str) -> Option<String> {
    let valid = !text.trim().is_empty() && !text.chars().any(char::is_control);
    valid.then(|| text.to_owned())
}

fn path(text: &str) -> Option<String> {
    let valid = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    valid.then(|| text.to_owned())
}

fn statuses(text: &str) -> Option<StatusRange> {
    let (low, high) = text.split_once('-')?;
    StatusRange::new(whole(low)?, whole(high)?)
}
