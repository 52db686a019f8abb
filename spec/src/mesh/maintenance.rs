//! Answers in place of a service that is being worked on.

use std::time::Duration;

use super::{Cidr, Place};
use crate::block::{Block, Word};
use crate::source::Spanned;
use crate::units::{Instant, TimeOfDay};
use crate::value::{http, number, text, time};

/// Answers in place of a service that is being worked on: at the times that are said, else at all times.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "maintenance")]
pub struct Maintenance {
    /// Whether it holds at all.
    #[field(default = "true")]
    pub enabled: Option<Spanned<bool>>,
    /// Times that come once.
    #[field(key = "window")]
    pub windows: Vec<MaintenanceWindow>,
    /// Times that come every week.
    pub weekly: Vec<MaintenanceWeekly>,
    /// When clients are told to come back.
    #[field(value = time::POSITIVE, default = "when the window ends")]
    pub retry_after: Option<Spanned<Duration>>,
    /// Headers by which requests pass.
    #[field(key = "pass-header")]
    pub pass_headers: Vec<PassSecret>,
    /// Cookies by which requests pass.
    #[field(key = "pass-cookie")]
    pub pass_cookies: Vec<PassSecret>,
    /// Networks of clients who pass.
    pub pass_from: Vec<Spanned<Cidr>>,
    /// How many proxies of ours stand before it: the client is whom the first of them wrote into `x-forwarded-for`. With 0
    /// it is whoever is connected; at a gateway, whom its own `trusted-hops` say.
    #[field(value = number::TRUSTED_HOPS, default = "0")]
    pub trusted_hops: Option<Spanned<u32>>,
    /// Paths that pass.
    #[field(value = http::PATH)]
    pub except_path: Vec<Spanned<String>>,
    /// Paths that pass by how they begin.
    #[field(value = http::PATH)]
    pub except_path_prefix: Vec<Spanned<String>>,
    /// The HTTP status of the answer; clients of gRPC are told UNAVAILABLE.
    #[field(value = http::STATUS, default = "503")]
    pub status: Option<Spanned<u16>>,
    /// The body of the answer.
    #[field(value = text::PROSE, default = "empty")]
    pub body: Option<Spanned<String>>,
    /// What the body is.
    #[field(value = text::TEXT, default = "text/plain")]
    pub content_type: Option<Spanned<String>>,
    #[field(place)]
    pub place: Place,
}

/// A time that comes once.
#[derive(Clone, Debug, Default, PartialEq, Block)]
#[block(what = "a window", line, not_empty)]
pub struct MaintenanceWindow {
    /// When it begins; without it, it has begun.
    pub from: Option<Spanned<Instant>>,
    /// When it is over; without it, it does not end.
    pub until: Option<Spanned<Instant>>,
    #[field(place)]
    pub place: Place,
}

/// A time that comes every week, in UTC.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a weekly window", line)]
pub struct MaintenanceWeekly {
    /// The days on which it begins.
    #[field(key = "day", default = "every day")]
    pub days: Vec<Spanned<Weekday>>,
    /// When it begins.
    pub from: Spanned<TimeOfDay>,
    /// When it is over: on the next day, unless it is later than `from`.
    pub until: Spanned<TimeOfDay>,
}

/// Something that lets a request pass by a secret value.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a way past maintenance", line)]
pub struct PassSecret {
    /// What it is called.
    #[field(main, value = http::HEADER_NAME)]
    pub name: Spanned<String>,
    /// The sha256 digest of its value.
    #[field(value = text::SHA256)]
    pub sha256: Spanned<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum Weekday {
    /// The first.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}
