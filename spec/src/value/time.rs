//! Durations and points in time.

use std::time::Duration;

use super::{Readable, Reader, Refusal, refuse, text};
use crate::shape::{Value, ValueForm};
use crate::syntax::tree::{Kind, Scalar};
use crate::units::{Instant, format_duration, parse_duration};

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

/// RFC 3339.
pub(crate) const INSTANT: Reader<Instant> = Reader::new(
    &Value {
        name: "instant",
        expected: "a point in time such as `2030-01-31T08:00:00Z`",
        form: ValueForm::Text(Some(
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([Zz]|[+-][0-9]{2}:[0-9]{2})$",
        )),
        examples: &["2030-01-31T08:00:00Z", "2030-01-31T09:00:00+01:00"],
        commas: false,
    },
    |scalar| {
        Instant::parse(text(scalar)?).map_or_else(
            || refuse(scalar, "is no point in time", "write date, time and zone as in `2030-01-31T08:00:00Z`"),
            Ok,
        )
    },
    |instant| (Kind::Text, instant.to_string()),
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

impl Readable for Instant {
    const READER: Reader<Self> = INSTANT;
}
