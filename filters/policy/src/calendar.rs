//! Times as text, in UTC and without any table.

use alloc::vec::Vec;

/// Seconds of a day.
pub(crate) const DAY: u64 = 86_400;

/// A moment as RFC 3339 writes it, such as `2026-11-21T17:00:00Z`.
pub(crate) fn rfc3339(unix_seconds: u64) -> Vec<u8> {
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
pub(crate) fn decimal(number: u64) -> Vec<u8> {
    let mut text = Vec::with_capacity(20);
    push(&mut text, number, 1);
    text
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

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::{DAY, date, rfc3339};

    #[track_caller]
    fn written(unix_seconds: u64, text: &str) {
        assert_eq!(String::from_utf8(rfc3339(unix_seconds)).as_deref(), Ok(text));
    }

    #[test]
    fn moments_are_written_as_rfc_3339_says() {
        written(0, "1970-01-01T00:00:00Z");
        written(946_684_799, "1999-12-31T23:59:59Z");
        written(951_825_600, "2000-02-29T12:00:00Z");
        written(1_795_283_289, "2026-11-21T17:48:09Z");
        written(4_107_542_400, "2100-03-01T00:00:00Z");
    }

    #[test]
    fn every_day_of_four_centuries_is_the_day_after_the_one_before() {
        let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let mut expected = (1970, 1, 1);
        for day in 0..146_097 {
            assert_eq!(date(day), expected, "{}", day * DAY);
            let (year, month, of_month) = expected;
            let length = match month {
                2 if leap(year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, of_month) {
                (12, 31) => (year + 1, 1, 1),
                (month, last) if last == length => (year, month + 1, 1),
                (month, other) => (year, month, other + 1),
            };
        }
    }
}
