//! Numbers, shares, booleans.

use super::{Readable, Reader, Refusal, refuse};
use crate::shape::{Value, ValueForm};
use crate::syntax::tree::{Kind, Scalar};
use crate::units::Percent;

macro_rules! whole {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $low:expr, $high:expr, $examples:expr) => {
        $(#[$doc])*
        pub(crate) const $name: Reader<u32> = Reader::new(
            &Value { name: $kind, expected: $expected, form: ValueForm::Integer($low, $high), examples: &$examples, commas: true },
            |scalar| within(scalar, $low, $high),
            number,
        );
    };
}

whole!(COUNT, "count", "a whole number", 0, u32::MAX, ["0", "7", "4294967295"]);
whole!(POSITIVE, "positive", "a whole number", 1, u32::MAX, ["1", "1000"]);
whole!(TRUSTED_HOPS, "trusted-hops", "a number from 0 to 16", 0, 16, ["0", "16"]);
whole!(ENDPOINT_WEIGHT, "endpoint-weight", "a weight from 1 to 128", 1, 128, ["1", "128"]);
whole!(
    /// Envoy's priorities of endpoints.
    PRIORITY, "priority", "a priority from 0 to 127", 0, 127, ["0", "3"]
);
whole!(
    /// App Mesh's priorities of routes.
    ROUTE_PRIORITY, "route-priority", "a priority from 0 to 1000", 0, 1000, ["0", "1000"]
);
whole!(WHOLE_PERCENT, "whole-percent", "a whole number from 0 to 100", 0, 100, ["0", "50", "100"]);
whole!(GRPC_STATUS, "grpc-status", "a gRPC status from 1 to 16", 1, 16, ["1", "14", "16"]);
whole!(
    /// To compare one endpoint with nothing is no choice; Envoy refuses it.
    CHOICES, "choices", "a number from 2", 2, u32::MAX, ["2", "5"]
);
whole!(
    /// Envoy's rings have eight million places at most.
    RING_SIZE, "ring-size", "a number from 1 to 8388608", 1, 8_388_608, ["1024", "8388608"]
);
whole!(
    /// RFC 9113, 6.5.2.
    STREAMS, "streams", "a number of streams from 1 to 2147483647", 1, 2_147_483_647, ["1", "100"]
);

/// A share of requests.
pub(crate) const PERCENT: Reader<Percent> = Reader::new(
    &Value {
        name: "percent",
        expected: "a share such as `15` or `0.5`",
        form: ValueForm::Decimal(0, 100),
        examples: &["0", "0.5", "12.3456", "100"],
        commas: false,
    },
    |scalar| match scalar.kind {
        Kind::Bool(_) | Kind::Null => Err(Refusal::Kind),
        Kind::Text if !scalar.text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) => {
            Err(Refusal::Kind)
        }
        _ => Percent::parse(&scalar.text).map_or_else(
            || refuse(scalar, "is not a share", "write 0 to 100 with at most four decimals, as in `12.5`"),
            Ok,
        ),
    },
    number,
);

/// A whole number between two bounds, both included.
pub(super) fn within(scalar: &Scalar, low: u32, high: u32) -> Result<u32, Refusal> {
    let number = match scalar.kind {
        Kind::Integer(number) => number,
        Kind::Variable => scalar.text.parse().map_err(|_| Refusal::Kind)?,
        _ => return Err(Refusal::Kind),
    };
    match u32::try_from(number) {
        Ok(number) if (low..=high).contains(&number) => Ok(number),
        _ if high < u32::MAX => refuse(scalar, &format!("is not between {low} and {high}"), ""),
        _ if number < i128::from(low) => refuse(scalar, &format!("is less than {low}"), ""),
        _ => refuse(scalar, &format!("is more than {high}"), ""),
    }
}

/// Writes what is a number.
pub(super) fn number(value: &impl ToString) -> (Kind, String) {
    let text = value.to_string();
    (text.parse().map_or(Kind::Decimal, Kind::Integer), text)
}

impl Readable for u32 {
    const READER: Reader<Self> = COUNT;
}

impl Readable for Percent {
    const READER: Reader<Self> = PERCENT;
}

impl Readable for bool {
    const READER: Reader<Self> = Reader::new(
        &Value {
            name: "boolean",
            expected: "a boolean",
            form: ValueForm::Boolean,
            examples: &["true", "false"],
            commas: false,
        },
        |scalar| match scalar.kind {
            Kind::Bool(value) => Ok(value),
            Kind::Variable => scalar.text.parse().map_err(|_| Refusal::Kind),
            _ => Err(Refusal::Kind),
        },
        |value| (Kind::Bool(*value), value.to_string()),
    );
}
