//! The table of what was asked, expected and met.

use std::io::IsTerminal;

use comfy_table::{Cell, Color, Table, presets};

/// One line.
pub(crate) struct Row {
    pub(crate) request: String,
    pub(crate) expected: String,
    pub(crate) got: String,
    pub(crate) decided_by: String,
    pub(crate) agrees: bool,
}

pub(crate) fn text(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["", "REQUEST", "EXPECTED", "GOT", "DECIDED BY"]);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let colored = std::io::stdout().is_terminal();
    for row in rows {
        let (mark, color) = if row.agrees { ("ok", Color::Green) } else { ("NO", Color::Red) };
        let mark = if colored { Cell::new(mark).fg(color) } else { Cell::new(mark) };
        let texts = [&row.request, &row.expected, &row.got, &row.decided_by].map(Cell::new);
        table.add_row([mark].into_iter().chain(texts));
    }
    table
}
