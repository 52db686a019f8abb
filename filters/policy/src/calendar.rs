//! Dates and times in UTC, without any table: days since 1970 as years, months and days, and the reverse.

use alloc::vec::Vec;

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// A moment as RFC 3339 writes it, such as `2026-11-21T17:00:00Z`.
pub fn rfc3339(unix_seconds: u64) -> Vec<u8> {
    let (year, month, day) = date(unix_seconds / DAY);
    let second = unix_seconds % DAY;
    let mut text = Vec::with_capacity(20);
    push(&mut text, year, 4);
    for (before, number) in
        [(b'-', month), (b'-', day), (b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)]
    {
        text.push(before);
        push(&mut text, number, 2);
    }
    text.push(b'Z');
    text
}

/// A number in decimal digits.
pub fn decimal(number: u64) -> Vec<u8> {
    let mut text = Vec::with_capacity(20);
    push(&mut text, number, 1);
    text
}

/// The day of the week, 0 for Monday.
pub fn weekday(unix_seconds: u64) -> u8 {
    // The first day of 1970 was a Thursday.
    let day = (unix_seconds / DAY).saturating_add(3) % 7;
    u8::try_from(day).unwrap_or_default()
}

/// Seconds since 1970 of a moment written as RFC 3339: `2026-11-21T17:00:00Z`, `2026-11-21T18:00:00.5+01:00`. Parts of
/// a second are dropped; a moment before 1970 is none.
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let text = text.as_bytes();
    let number = |at: usize, length: usize| -> Option<u64> {
        let digits = text.get(at..at.saturating_add(length))?;
        digits.iter().try_fold(0, |number: u64, digit| {
            let digit = digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?;
            number.checked_mul(10)?.checked_add(u64::from(digit))
        })
    };
    let has = |at: usize, expected: &[u8]| text.get(at).is_some_and(|byte| expected.contains(byte));
    let separated = has(4, b"-") && has(7, b"-") && has(10, b"Tt ") && has(13, b":") && has(16, b":");
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let exists = (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month);
    if !separated || !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = 19;
    if has(rest, b".") {
        let digits = text.get(20..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = if digits > 0 { digits.checked_add(20)? } else { return None };
    }
    let of_day = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    let local = days(year, month, day)?.checked_mul(DAY)?.checked_add(of_day)?;
    let zone = text.get(rest..)?;
    match zone {
        [b'Z' | b'z'] => Some(local),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(rest.checked_add(1)?, 2)?, number(rest.checked_add(4)?, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            if *sign == b'+' { local.checked_sub(offset) } else { local.checked_add(offset) }
        }
        _ => None,
    }
}

fn push(text: &mut Vec<u8>, number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut left = number;
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.saturating_add(u8::try_from(left % 10).unwrap_or_default());
        left /= 10;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let from = zeros.min(digits.len().saturating_sub(least));
    text.extend(digits.get(from..).unwrap_or_default());
}

/// Year, month and day of a day since 1970. Four hundred years have the same days again, and a year that begins in
/// March has its leap day at the end.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let without_leap_days =
        of_era.saturating_add(of_era / 36_524).saturating_sub(of_era / 1460).saturating_sub(of_era / 146_096);
    let year_of_era = without_leap_days / 365;
    let before = year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
    let of_year = of_era.saturating_sub(before);
    let from_march = of_year.saturating_mul(5).saturating_add(2) / 153;
    let first_of_month = from_march.saturating_mul(153).saturating_add(2) / 5;
    let day = of_year.saturating_sub(first_of_month).saturating_add(1);
    let (month, later) = match from_march {
        0..=9 => (from_march.saturating_add(3), 0),
        _ => (from_march.saturating_sub(9), 1),
    };
    let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(later);
    (year, month, day)
}

/// Days since 1970.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let from_march = month.saturating_add(9) % 12;
    let of_year = (from_march.checked_mul(153)?.checked_add(2)? / 5).checked_add(day)?.checked_sub(1)?;
    let of_era_days =
        of_era.checked_mul(365)?.checked_add(of_era / 4)?.checked_sub(of_era / 100)?.checked_add(of_year)?;
    era.checked_mul(146_097)?.checked_add(of_era_days)?.checked_sub(719_468)
}

fn days_of(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::{DAY, parse_rfc3339, rfc3339, weekday};

    #[track_caller]
    fn both_ways(text: &str, unix_seconds: u64) {
        assert_eq!(String::from_utf8(rfc3339(unix_seconds)).as_deref(), Ok(text));
        assert_eq!(parse_rfc3339(text), Some(unix_seconds));
    }

    #[test]
    fn moments_are_written_and_read() {
        both_ways("1970-01-01T00:00:00Z", 0);
        both_ways("1999-12-31T23:59:59Z", 946_684_799);
        both_ways("2000-02-29T12:00:00Z", 951_825_600);
        both_ways("2026-11-21T17:48:09Z", 1_795_283_289);
        both_ways("2100-03-01T00:00:00Z", 4_107_542_400);
    }

    #[test]
    fn every_day_of_four_centuries_is_read_as_it_is_written() {
        for day in 0..146_097 {
            let text = String::from_utf8(rfc3339(day * DAY)).unwrap();
            assert_eq!(parse_rfc3339(&text), Some(day * DAY), "{text}");
        }
    }

    #[test]
    fn zones_and_parts_of_seconds_are_read() {
        assert_eq!(parse_rfc3339("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_rfc3339("1970-01-01t00:00:00.123z"), Some(0));
        assert_eq!(parse_rfc3339("1969-12-31T23:30:00-00:30"), None);
        assert_eq!(parse_rfc3339("1970-01-01T00:30:00-00:30"), Some(3600));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T17:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T17:00:00.Z",
            "2026-11-21T17:00:00Zz",
            "2026-11-21T17:00:00+1:00",
            "1969-12-31T23:59:59Z",
            "2026-11-2éT17:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(weekday(0), 3);
        assert_eq!(weekday(1_795_283_289), 5);
        assert_eq!(weekday(4 * DAY), 0);
    }
}
