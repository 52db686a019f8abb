//! Durations on the command line: `100ms`, `30s`, `5m`, `1h`.

use std::time::Duration;

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wrong(text))?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        // Nothing takes no time in any unit.
        "" if number == 0 => 1,
        _ => return Err(wrong(text)),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| wrong(text))
}

fn wrong(text: &str) -> String {
    format!("`{text}` is no duration such as `100ms`, `30s`, `5m` or `1h`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        for (text, milliseconds) in [("0", 0), ("100ms", 100), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "s", "30", "-1s", "1.5s", "1 s", "99999999999999999999s", "18446744073709551615h", "5µs"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
