//! Quantities with their units: time, share, status codes.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A share of requests, exact to one part in a million (Envoy's finest denominator).
/// At most 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    per_million: u32,
}

/// A point in time, from 1970 on, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    unix_seconds: u64,
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

impl Instant {
    /// Reads RFC 3339, in any time zone: `2030-01-31T08:00:00Z`, `2030-01-31T09:00:00+01:00`. `None` with fractions of a
    /// second and before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let read = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let unix_seconds = u64::try_from(read.unix_timestamp()).ok()?;
        (read.nanosecond() == 0).then_some(Self { unix_seconds })
    }

    pub const fn unix_seconds(self) -> u64 {
        self.unix_seconds
    }
}

/// As [`Instant::parse`] reads it, in UTC: `2030-01-31T08:00:00Z`.
impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = i64::try_from(self.unix_seconds).map(OffsetDateTime::from_unix_timestamp);
        let Ok(Ok(utc)) = read else { return write!(formatter, "{}", self.unix_seconds) };
        let (year, month, day) = utc.to_calendar_date();
        let (hour, minute, second) = utc.to_hms();
        write!(formatter, "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
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

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn points_in_time_are_read_in_any_zone_and_written_in_utc() {
        for (text, seconds, written) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2030-01-31T09:30:00+01:30", 1_896_076_800, "2030-01-31T08:00:00Z"),
            ("2028-02-29t23:59:59z", 1_835_481_599, "2028-02-29T23:59:59Z"),
            ("1969-12-31T23:00:00-01:00", 0, "1970-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59Z", 253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let instant = Instant::parse(text);
            assert_eq!(instant.map(Instant::unix_seconds), Some(seconds), "{text}");
            assert_eq!(instant.map(|it| it.to_string()).as_deref(), Some(written));
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2030-01-31",
            "2030-01-31T08:00:00",
            "2030-01-31 08:00",
            "2029-02-29T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-01-31T24:00:00Z",
            "2030-01-31T08:00:60Z",
            "2030-01-31T08:00:00.5Z",
            "1969-12-31T23:59:59Z",
            "30-01-31T08:00:00Z",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
