//! The table of what happened, and what it came to.

use comfy_table::{Table, presets};
use trials::table::time;
use trials::tasks::event::Event;

pub(crate) fn text(events: &[Event]) -> Table {
    let mut table = Table::new();
    let header = ["", "EVENT", "OBEYED AFTER", "POLLS", "REQUESTS", "FAILED", "ANSWERED BY"];
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for event in events {
        let answered = event.answered.iter().map(|(who, count)| format!("{who} {count}"));
        let answered: Vec<String> =
            answered.chain(event.problems().into_iter().map(|problem| format!("WRONG: {problem}"))).collect();
        table.add_row([
            if event.is_well() { "ok" } else { "NO" }.to_owned(),
            event.what.clone(),
            event.obeyed.map_or_else(String::new, time),
            event.polls.map_or_else(String::new, |polls| polls.to_string()),
            event.requests.to_string(),
            event.lost.to_string(),
            answered.join(", "),
        ]);
    }
    table
}
