//! What came out, as an aligned table.

use std::time::Duration;

use comfy_table::{Table, presets};

use crate::load::Tally;

/// One trial at one size.
#[derive(Clone, Debug)]
pub struct Row {
    pub trial: &'static str,
    /// Variant, size, Envoy.
    pub with: String,
    /// What was sent, and what of it was lost; nothing where no request is part of the trial.
    pub load: Option<(u64, u64)>,
    pub figures: String,
    /// What was wanted, and whether it came.
    pub wanted: &'static str,
    pub met: bool,
}

impl Row {
    /// A trial that did not come to its end.
    pub fn failed(trial: &'static str, with: String, error: &anyhow::Error) -> Self {
        Self { trial, with, load: None, figures: format!("{error:#}"), wanted: "an end", met: false }
    }
}

/// The counts; what was lost is told on standard error.
pub fn load(tally: &Tally) -> Option<(u64, u64)> {
    for (when, reason) in &tally.losses {
        eprintln!("  lost after {}: {reason}", time(*when));
    }
    Some((tally.requests, tally.lost))
}

pub fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["TRIAL", "WITH", "REQUESTS", "LOST", "FIGURES", "WANTED", "MET"]);
    for row in rows {
        let count = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        table.add_row([
            row.trial.to_owned(),
            row.with.clone(),
            count(row.load.map(|(requests, _)| requests)),
            count(row.load.map(|(_, lost)| lost)),
            row.figures.clone(),
            row.wanted.to_owned(),
            if row.met { "yes" } else { "NO" }.to_owned(),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Milliseconds, or seconds where they are many.
pub fn time(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1000.0;
    if millis < 1000.0 { format!("{millis:.0} ms") } else { format!("{:.1} s", millis / 1000.0) }
}

/// The value that a share of the sorted ones stays below.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let index = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}
