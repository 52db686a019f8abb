//! The chapters of the manual, with their blocks, links and headings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use meshwright_spec::Syntax;

/// Pages that are made from tables; their blocks are not meshes.
pub(crate) const MADE: [&str; 2] = ["annotations.md", "schema-kdl.md"];

/// A fenced block of a chapter.
pub(crate) struct Example {
    pub(crate) page: String,
    pub(crate) syntax: Syntax,
    /// The codes that it shows.
    pub(crate) errors: Option<Vec<String>>,
    /// As the page has it.
    pub(crate) text: String,
}

pub(crate) fn examples() -> Vec<Example> {
    let pages = pages();
    let chapters = pages.iter().filter(|(page, _)| !MADE.contains(&page.as_str()));
    chapters.flat_map(|(page, text)| blocks(page, text)).collect()
}

fn blocks(page: &str, text: &str) -> Vec<Example> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let mut words = info.split(',');
        let syntax = match words.next() {
            Some("kdl") => Syntax::Kdl,
            Some("yaml") => Syntax::Yaml,
            _ => continue,
        };
        let errors = match words.next() {
            Some("error") => Some(words.map(str::to_owned).collect()),
            Some("unchecked") | None => None,
            Some(other) => panic!("{page}: `{other}` means nothing after `{syntax:?}`"),
        };
        blocks.push(Example { page: page.to_owned(), syntax, errors, text });
    }
    blocks
}

/// What stands in `](…)`, on this site, outside of blocks and code.
pub(crate) fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// The headings of a page, as mdBook links to them.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let prose = text.split("```").step_by(2);
    let headings = prose.flat_map(str::lines).filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
            kept.map(|it| if it == ' ' { '-' } else { it }).collect()
        })
        .collect()
}

/// The chapters by their file.
pub(crate) fn pages() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder()).expect("the manual").map(|entry| entry.expect("a page").path());
    let pages = entries.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a page"))
        })
        .collect()
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference")
}
