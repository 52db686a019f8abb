//! What reading many tasks costs AWS and the control plane.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use trials::table::time;
use trials::tasks::crowd::{Crowd, crowd};
use trials::tasks::{INTERVAL, Tasks};

use crate::program;

pub(crate) async fn show(sizes: &[usize]) -> ExitCode {
    let mut table = Table::new();
    let header =
        ["TASKS", "FAMILIES", "CALLS AT FIRST", "SERVED AFTER", "CALLS PER READ", "A READ EVERY", "MB", "MB MOST"];
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for size in sizes {
        match one(*size).await {
            Ok(crowd) => {
                let Crowd { tasks, families, ready, first, each, interval, resident, highest } = crowd;
                table.add_row([
                    tasks.to_string(),
                    families.to_string(),
                    first.to_string(),
                    time(ready),
                    format!("{each:.1}"),
                    time(interval),
                    resident.to_string(),
                    highest.to_string(),
                ]);
            }
            Err(error) => {
                eprintln!("demo-ecs: error: {size} tasks: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{table}");
    ExitCode::SUCCESS
}

async fn one(size: usize) -> anyhow::Result<Crowd> {
    let tasks = Tasks::new(program()?, &local::find(None)?).await?;
    crowd(&tasks, size, INTERVAL).await
}
