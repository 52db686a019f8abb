//! The manual's pages on what can be found in a mesh.

use spec::Code;

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of a code, in Markdown. Every code has one: a test sees to it.
pub(crate) fn of(code: Code) -> &'static str {
    PAGES.iter().find(|(slug, _)| *slug == code.slug).map_or("", |(_, page)| *page)
}

/// What a page says in one sentence: its first paragraph.
pub(crate) fn says(page: &'static str) -> &'static str {
    page.split("\n\n").nth(1).unwrap_or("").trim()
}
