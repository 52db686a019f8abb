//! Quantities with their units: time, share, status codes.

use std::fmt;
use std::time::Duration;

/// A share of requests, exact to one part in a million (Envoy's finest denominator).
/// At most 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    per_million: u32,
}

/// Status codes from `low` (included) to `high` (excluded), as in Envoy's `Int64Range`.
/// `100 <= low < high <= 600`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    pub low: u16,
    pub high: u16,
}

impl Percent {
    pub const ZERO: Self = Self { per_million: 0 };
    pub const ALL: Self = Self { per_million: 1_000_000 };

    /// `None` above 100 % (1,000,000).
    pub const fn from_per_million(per_million: u32) -> Option<Self> {
        if per_million <= 1_000_000 { Some(Self { per_million }) } else { None }
    }

    /// Reads `15`, `0.5` or `12.3456`, with or without a `%` sign; at most four decimals, 0 to 100.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 4 {
            return None;
        }
        let whole: u32 = whole.parse().ok()?;
        let scaled: u32 = format!("{decimals:0<4}").parse().ok()?;
        Self::from_per_million(whole * 10_000 + scaled)
    }

    pub const fn per_million(self) -> u32 {
        self.per_million
    }
}

/// As [`Percent::parse`] reads it: `15`, `0.5`.
impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, decimals) = (self.per_million / 10_000, self.per_million % 10_000);
        if decimals == 0 {
            return write!(formatter, "{whole}");
        }
        write!(formatter, "{whole}.{}", format!("{decimals:04}").trim_end_matches('0'))
    }
}

/// Reads `250ms`, `15s`, `2m`, `1h`. Whole numbers only; `None` beyond 365 days.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    }?;
    (millis <= 365 * 24 * 3_600_000).then(|| Duration::from_millis(millis))
}

/// As [`parse_duration`] reads it, in the largest unit that loses nothing.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    match units.into_iter().find(|(size, _)| millis > 0 && millis.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", millis / size),
        None => format!("{millis}ms"),
    }
}

impl StatusRange {
    /// `None` unless `100 <= low < high <= 600`.
    pub const fn new(low: u16, high: u16) -> Option<Self> {
        if 100 <= low && low < high && high <= 600 { Some(Self { low, high }) } else { None }
    }

    /// Reads `200-299`, both included, or a single code.
    pub fn parse_inclusive(text: &str) -> Option<Self> {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        Self::new(low.trim().parse().ok()?, high.trim().parse::<u16>().ok()?.checked_add(1)?)
    }
}

/// As [`StatusRange::parse_inclusive`] reads it.
impl fmt::Display for StatusRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.high - self.low {
            1 => write!(formatter, "{}", self.low),
            _ => write!(formatter, "{}-{}", self.low, self.high - 1),
        }
    }
}
