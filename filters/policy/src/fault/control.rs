//! Faults that requests ask for, in the headers of Envoy's own filter, as far as they may.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::FaultDelay;
use super::abort::{FaultAbort, Status, http_status_of_grpc};
use super::callers::FaultCallers;
use crate::decode::config;
use crate::{Edits, HeaderEdit, Headers};

const ABORT: &str = "x-envoy-fault-abort-request";
const GRPC_ABORT: &str = "x-envoy-fault-abort-grpc-request";
const ABORT_PERCENT: &str = "x-envoy-fault-abort-request-percentage";
const DELAY: &str = "x-envoy-fault-delay-request";
const DELAY_PERCENT: &str = "x-envoy-fault-delay-request-percentage";

/// The headers in which Envoy's own filter is asked for faults. They are for the filter that reads them, and for no one
/// behind it.
pub const FAULT_CONTROL_HEADERS: [&str; 7] = [
    ABORT,
    GRPC_ABORT,
    ABORT_PERCENT,
    DELAY,
    DELAY_PERCENT,
    "x-envoy-fault-throughput-response",
    "x-envoy-fault-throughput-response-percentage",
];

config! {
    /// What requests may ask for, in place of what is configured. Anything beyond it, and anything that is no number or
    /// comes twice, is as if it had not been asked for; longer delays and larger shares are cut.
    pub struct FaultControl {
        /// The longest delay; 0: none may be asked for.
        pub max_millis: u32 = 0,
        /// The HTTP statuses that may be asked for.
        pub statuses: Vec<Status>,
        /// The gRPC statuses that may be asked for, from 1 to 16.
        pub grpc_statuses: Vec<u8>,
        /// How many requests of a million at most, and where they do not say how many.
        pub max_per_million: u32,
        /// Only these callers.
        pub from: Option<FaultCallers>,
    }
}

/// What a request asks for: it replaces what is configured.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub delay: Option<FaultDelay>,
    pub abort: Option<FaultAbort>,
}

impl Asked {
    pub(super) fn is_nothing(&self) -> bool {
        self.delay.is_none() && self.abort.is_none()
    }
}

impl FaultControl {
    /// The answer is like the configured one, but for its status.
    pub(super) fn read(&self, headers: &Headers, configured: Option<&FaultAbort>) -> Asked {
        let asked = Heard::of(headers);
        let delay = asked.delay.single().and_then(whole).filter(|_| self.max_millis > 0).map(|millis| FaultDelay {
            millis: u32::try_from(millis).unwrap_or(u32::MAX).min(self.max_millis),
            up_to: 0,
            per_million: self.share(&asked.delay_percent),
        });
        let abort = self.abort(&asked).map(|(status, grpc_status)| FaultAbort {
            status,
            grpc_status,
            body: configured.and_then(|abort| abort.body.clone()),
            headers: configured.map(|abort| abort.headers.clone()).unwrap_or_default(),
            per_million: self.share(&asked.abort_percent),
        });
        Asked { delay, abort }
    }

    fn abort(&self, asked: &Heard<'_>) -> Option<(Status, Option<u8>)> {
        let status = |text| Status::known(u16::try_from(whole(text)?).ok()?);
        let allowed = asked.abort.single().and_then(status).filter(|status| self.statuses.contains(status));
        if let Some(status) = allowed {
            return Some((status, None));
        }
        let grpc_status = u8::try_from(whole(asked.grpc_abort.single()?)?).ok()?;
        let http_status = http_status_of_grpc(grpc_status).filter(|_| self.grpc_statuses.contains(&grpc_status))?;
        Some((Status(http_status), Some(grpc_status)))
    }

    fn share(&self, percent: &Said<'_>) -> u32 {
        percent.single().and_then(per_million).map_or(self.max_per_million, |share| share.min(self.max_per_million))
    }
}

/// Takes away whatever asks for faults.
pub(super) fn strip(headers: &Headers) -> Edits {
    let mut edits: Vec<HeaderEdit> = Vec::new();
    // Few requests have any: the names are compared only with headers that begin like them.
    for (name, _) in headers.iter().filter(|(name, _)| name.starts_with(b"x-envoy-fault-")) {
        let known = FAULT_CONTROL_HEADERS.iter().find(|known| known.as_bytes() == name);
        edits.extend(known.map(|name| HeaderEdit::Remove { name: (*name).to_owned() }));
    }
    edits.dedup();
    edits.into()
}

/// What headers say that ask for faults, found in one pass.
#[derive(Default)]
struct Heard<'h> {
    abort: Said<'h>,
    grpc_abort: Said<'h>,
    abort_percent: Said<'h>,
    delay: Said<'h>,
    delay_percent: Said<'h>,
}

/// The values of one header.
#[derive(Default)]
enum Said<'h> {
    #[default]
    Nothing,
    Once(&'h [u8]),
    Often,
}

impl<'h> Heard<'h> {
    fn of(headers: &'h Headers) -> Heard<'h> {
        let mut heard = Heard::default();
        for (name, value) in headers.iter().filter(|(name, _)| name.starts_with(b"x-envoy-fault-")) {
            let said = match core::str::from_utf8(name) {
                Ok(ABORT) => &mut heard.abort,
                Ok(GRPC_ABORT) => &mut heard.grpc_abort,
                Ok(ABORT_PERCENT) => &mut heard.abort_percent,
                Ok(DELAY) => &mut heard.delay,
                Ok(DELAY_PERCENT) => &mut heard.delay_percent,
                _ => continue,
            };
            *said = match said {
                Said::Nothing => Said::Once(value),
                Said::Once(_) | Said::Often => Said::Often,
            };
        }
        heard
    }
}

impl<'h> Said<'h> {
    /// Who says two things has said nothing.
    fn single(&self) -> Option<&'h [u8]> {
        match self {
            Said::Once(value) => Some(value),
            Said::Nothing | Said::Often => None,
        }
    }
}

/// A whole number in decimal digits; one that is too large to be held is the largest.
fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut number: u64 = 0;
    for byte in text {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number = number.saturating_mul(10).saturating_add(u64::from(digit));
    }
    Some(number)
}

/// Percent, with up to four decimal places, as parts of a million.
fn per_million(text: &[u8]) -> Option<u32> {
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let percent = whole(parts.next()?)?;
    let mut scale: u64 = 10_000;
    let mut fraction = 0;
    if let Some(decimals) = parts.next() {
        fraction = whole(decimals).filter(|_| decimals.len() <= 4)?;
        for _ in decimals {
            scale = scale.checked_div(10)?;
        }
    }
    let share = percent.saturating_mul(10_000).saturating_add(fraction.saturating_mul(scale));
    Some(u32::try_from(share).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{per_million, whole};

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        assert_eq!(whole(b"0"), Some(0));
        assert_eq!(whole(b"0042"), Some(42));
        assert_eq!(whole(b"99999999999999999999999"), Some(u64::MAX));
        for other in
            [&b""[..], b" 1", b"1 ", b"+1", b"-1", b"1e3", b"0x1", b"abc", b"1,2", b"\xff", "\u{661}".as_bytes()]
        {
            assert_eq!(whole(other), None, "{other:?}");
        }
    }

    #[test]
    fn percent_may_have_four_decimal_places() {
        assert_eq!(per_million(b"100"), Some(1_000_000));
        assert_eq!(per_million(b"0.5"), Some(5_000));
        assert_eq!(per_million(b"0.0001"), Some(1));
        assert_eq!(per_million(b"12.25"), Some(122_500));
        assert_eq!(per_million(b"99999999999999999999"), Some(u32::MAX));
        for other in [&b""[..], b".", b".5", b"1.", b"0.00001", b"1.2.3", b"-1", b"abc", b"1 ", b"50%"] {
            assert_eq!(per_million(other), None, "{other:?}");
        }
    }
}
