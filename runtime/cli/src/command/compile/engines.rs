//! `--report`: what does the work of each policy, why, and what it costs.

use anyhow::Context;
use clap::ValueEnum;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use compiler::CheckedMesh;
use compiler::report::{MICROSECONDS_OF_NOTHING, ProxyReport, report};

use crate::exit::Exit;
use crate::write;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// A table for people
    Text,
    /// One list
    Json,
}

/// Of these proxies, or all.
pub(super) fn tell(mesh: &CheckedMesh, names: &[String], form: Form) -> Result<(), Exit> {
    let chosen = |it: &ProxyReport| names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(&it.proxy));
    let reports: Vec<ProxyReport> = report(mesh).into_iter().filter(chosen).collect();
    let text = match form {
        Form::Json => serde_json::to_string_pretty(&reports).context("the report has no JSON")?,
        Form::Text => table(&reports),
    };
    Ok(write::to_stdout(&format!("{text}\n"))?)
}

fn table(reports: &[ProxyReport]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["proxy", "policy", "of", "engine", "why", "µs a request"]);
    for report in reports {
        for line in &report.policies {
            let cost = line.microseconds.map_or_else(|| "not measured".to_owned(), |cost| format!("+{cost:.1}"));
            let of = line.of.join(", ");
            table.add_row([report.proxy.as_str(), line.policy, &of, line.engine, &line.why, &cost]);
        }
    }
    let mut text = format!("{table}\n");
    for report in reports.iter().filter(|report| !report.policies.is_empty()) {
        text.push_str(&format!(
            "{}: +{:.1} µs of CPU a request, of what was measured; +{:.0} MB\n",
            report.proxy, report.microseconds, report.megabytes
        ));
    }
    text.push_str(&format!(
        "a request without filters: {MICROSECONDS_OF_NOTHING} µs, on the machine of the measurement"
    ));
    text
}
