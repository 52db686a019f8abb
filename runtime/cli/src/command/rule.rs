//! `meshwright rule`: what can be found in a mesh, and the manual's page on it.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use spec::codes::{self, Kind};
use spec::{Code, Severity};

use crate::exit::{Exit, ExitStatus};
use crate::levels::known;
use crate::pages;
use crate::write::{plain_wanted, to_stdout};

#[derive(Args, Debug)]
pub struct Arguments {
    /// Print the manual's page on this code; by default all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// Print every page
    #[arg(long, conflicts_with = "code")]
    all: bool,
    /// How codes and pages are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: a table, or pages in Markdown
    #[default]
    Text,
    /// One JSON document
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitStatus, Exit> {
    let asked = match &arguments.code {
        Some(written) => vec![known(written).map_err(|why| Exit::usage(anyhow::anyhow!(why)))?],
        None => codes::ALL.to_vec(),
    };
    let with_pages = arguments.all || arguments.code.is_some();
    let text = match arguments.format {
        Format::Json => json(&asked, with_pages)?,
        Format::Text if with_pages => asked.iter().map(|code| pages::of(*code)).collect::<Vec<_>>().join("\n"),
        Format::Text => format!("{}\n", list(&asked)),
    };
    to_stdout(&text)?;
    Ok(ExitStatus::Ok)
}

/// A line a code.
fn list(codes: &[Code]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["CODE", "SEVERITY", "CONFIGURABLE", "WHAT IT SAYS"]);
    if std::io::stdout().is_terminal() && !plain_wanted() {
        table.set_content_arrangement(ContentArrangement::Dynamic).enforce_styling();
    } else {
        table.force_no_tty();
    }
    for code in codes {
        let severity = Cell::new(severity(*code)).fg(match code.severity() {
            Severity::Error => Color::Red,
            Severity::Warning => Color::Yellow,
            Severity::Note => Color::Green,
        });
        let configurable = if is_configurable(*code) { "yes" } else { "no" };
        table.add_row([Cell::new(code.slug), severity, Cell::new(configurable), Cell::new(code.summary)]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[derive(Serialize)]
struct Document {
    version: u32,
    rules: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    code: &'static str,
    severity: &'static str,
    configurable: bool,
    summary: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'static str>,
}

fn json(codes: &[Code], with_pages: bool) -> Result<String, Exit> {
    let entry = |code: &Code| Entry {
        code: code.slug,
        severity: severity(*code),
        configurable: is_configurable(*code),
        summary: code.summary,
        page: with_pages.then(|| pages::of(*code)),
    };
    let document = Document { version: 1, rules: codes.iter().map(entry).collect() };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn is_configurable(code: Code) -> bool {
    code.kind != Kind::Fault
}
