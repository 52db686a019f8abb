//! Durations.

use std::time::Duration;

use super::{Readable, Reader, Refusal, refuse, text};
use crate::shape::{Value, ValueForm};
use crate::syntax::tree::{Kind, Scalar};
use crate::units::{format_duration, parse_duration};

const FORM: ValueForm = ValueForm::Text(Some("^[0-9]+(ms|s|m|h)$"));

/// Zero included.
pub(crate) const DURATION: Reader<Duration> = Reader::new(
    &Value {
        name: "duration",
        expected: "a duration such as `15s`",
        form: FORM,
        examples: &["0s", "250ms", "15s", "2m", "1h"],
        commas: false,
    },
    duration,
    write,
);

/// Longer than zero.
pub(crate) const POSITIVE: Reader<Duration> = Reader::new(
    &Value {
        name: "positive-duration",
        expected: "a duration such as `15s`",
        form: FORM,
        examples: &["1ms", "15s", "8760h"],
        commas: false,
    },
    positive,
    write,
);

/// Up to one hour.
pub(crate) const DELAY: Reader<Duration> = Reader::new(
    &Value {
        name: "delay-duration",
        expected: "a duration such as `50ms`",
        form: FORM,
        examples: &["1ms", "50ms", "1h"],
        commas: false,
    },
    |scalar| {
        let duration = positive(scalar)?;
        if duration <= Duration::from_secs(3600) { Ok(duration) } else { refuse(scalar, "is longer than one hour", "") }
    },
    write,
);

/// A part of each second.
pub(crate) const SHARE: Reader<Duration> = Reader::new(
    &Value {
        name: "share-duration",
        expected: "a duration such as `100ms`",
        form: FORM,
        examples: &["1ms", "100ms", "1s"],
        commas: false,
    },
    |scalar| {
        let duration = positive(scalar)?;
        if duration <= Duration::from_secs(1) { Ok(duration) } else { refuse(scalar, "is longer than one second", "") }
    },
    write,
);

/// Envoy's buckets are filled every 50 ms at most.
pub(crate) const FILL_INTERVAL: Reader<Duration> = Reader::new(
    &Value {
        name: "fill-interval",
        expected: "a duration such as `1s`",
        form: FORM,
        examples: &["50ms", "1s", "1m"],
        commas: false,
    },
    |scalar| {
        let duration = positive(scalar)?;
        let long_enough = duration >= Duration::from_millis(50);
        if long_enough {
            Ok(duration)
        } else {
            refuse(scalar, "is shorter than 50ms", "say more requests in a longer time")
        }
    },
    write,
);

/// A name server is not to be asked all the time.
pub(crate) const REFRESH: Reader<Duration> = Reader::new(
    &Value {
        name: "refresh-interval",
        expected: "a duration such as `5s`",
        form: FORM,
        examples: &["100ms", "5s", "1m"],
        commas: false,
    },
    |scalar| {
        let duration = positive(scalar)?;
        if duration >= Duration::from_millis(100) { Ok(duration) } else { refuse(scalar, "is shorter than 100ms", "") }
    },
    write,
);

fn duration(scalar: &Scalar) -> Result<Duration, Refusal> {
    parse_duration(text(scalar)?).ok_or(Refusal::Kind)
}

fn positive(scalar: &Scalar) -> Result<Duration, Refusal> {
    let duration = duration(scalar)?;
    if duration.is_zero() { refuse(scalar, "is no time at all", "write at least `1ms`") } else { Ok(duration) }
}

fn write(duration: &Duration) -> (Kind, String) {
    (Kind::Text, format_duration(*duration))
}

impl Readable for Duration {
    const READER: Reader<Self> = DURATION;
}
