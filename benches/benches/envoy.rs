//! Tables: what filters cost in real Envoy, in CPU time, in memory, and how exact delays are.

use comfy_table::{CellAlignment, Table, presets};
use local::EnvoyBinary;
use meshwright_benches::envoy_cost::{Cost, measure};
use meshwright_benches::in_envoy::{Answer, Variant, World};
use meshwright_benches::pauses;
use meshwright_benches::variants::{self, NO_FILTER, NO_OP};

const ROUNDS: usize = 9;
const REQUESTS: usize = 3000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let envoy = local::find(None)?;
    for (answer, title) in [(Answer::Direct, "ANSWERED BY THE ROUTE TABLE"), (Answer::Upstream, "WITH AN UPSTREAM")] {
        let costs = measure(&envoy, &variants::all(), answer, ROUNDS, REQUESTS).await?;
        println!("{}\n(one worker, least of {ROUNDS} rounds of {REQUESTS} requests)\n", cost_table(title, &costs));
    }
    println!("{}\n", delays(&envoy).await?);
    println!("{}", memory(&envoy).await?);
    Ok(())
}

fn cost_table(title: &str, costs: &[Cost]) -> Table {
    let of = |name: &str| costs.iter().find(|cost| cost.variant == name).map_or(f64::NAN, |cost| cost.micros);
    let native = |name: &str| {
        let family = name.split([' ', ',']).next().unwrap_or(name);
        costs.iter().find(|cost| cost.variant.starts_with(family) && cost.variant.ends_with("Envoy's own"))
    };
    let mut table =
        table([title, "CPU µs/request", "over no filter", "over no-op", "throughput of no filter", "of Envoy's own"]);
    for Cost { variant, micros } in costs {
        table.add_row([
            (*variant).to_owned(),
            format!("{micros:.1}"),
            format!("{:+.1}", micros - of(NO_FILTER)),
            format!("{:+.1}", micros - of(NO_OP)),
            format!("{:.2}", of(NO_FILTER) / micros),
            native(variant).map_or(String::new(), |native| format!("{:.2}", native.micros / micros)),
        ]);
    }
    aligned(table)
}

async fn delays(envoy: &EnvoyBinary) -> anyhow::Result<Table> {
    let mut table = table(["A DELAY OF 50 ms IS LONGER BY", "at once", "median", "90 %", "99 %", "most"]);
    for (rounds, at_once) in [(100, 1), (10, 100)] {
        for overshoot in pauses::measure(envoy, rounds, at_once).await? {
            let millis = |share| format!("{:.2} ms", overshoot.quantile(share).as_secs_f64() * 1000.0);
            table.add_row([
                overshoot.variant.to_owned(),
                at_once.to_string(),
                millis(0.5),
                millis(0.9),
                millis(0.99),
                millis(1.0),
            ]);
        }
    }
    Ok(aligned(table))
}

/// Each Envoy has served requests on every worker before it is measured.
async fn memory(envoy: &EnvoyBinary) -> anyhow::Result<Table> {
    let all = variants::together();
    let chains = [
        variants::variant(NO_FILTER, Vec::new()),
        variants::variant("one filter", all.iter().take(1).cloned().collect()),
        variants::variant("every filter", all),
    ];
    let mut table = table(["MEMORY OF ENVOY, 4 WORKERS", "MiB", "over no filter"]);
    let mut plain = None;
    for chain in chains {
        let mebibytes = resident(envoy, &chain).await?;
        let plain = *plain.get_or_insert(mebibytes);
        table.add_row([chain.name.to_owned(), format!("{mebibytes:.1}"), format!("{:+.1}", mebibytes - plain)]);
    }
    Ok(aligned(table))
}

async fn resident(envoy: &EnvoyBinary, chain: &Variant) -> anyhow::Result<f64> {
    let world = World::start(envoy, std::slice::from_ref(chain), Answer::Direct, 4).await?;
    for _ in 0..200 {
        world.client(0).send(&chain.request).await?;
    }
    let kilobytes = world.resident_kilobytes()?;
    world.stop().await;
    Ok(kilobytes as f64 / 1024.0)
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    table
}

fn aligned(mut table: Table) -> Table {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
