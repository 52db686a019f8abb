//! A table: CPU time per request of real Envoy, with and without filters.

use comfy_table::{CellAlignment, Table, presets};
use meshwright_benches::envoy_cost::{Cost, measure};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let envoy = local::find(None)?;
    let costs = measure(&envoy, 9, 4000).await?;
    let of = |name: &str| costs.iter().find(|cost| cost.variant == name).map_or(f64::NAN, |cost| cost.micros);
    let (plain, no_op) = (of("no filter"), of("no-op, wasm"));
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["IN ENVOY", "CPU µs/request", "over no filter", "over no-op wasm", "ratio to no filter"]);
    for Cost { variant, micros } in &costs {
        let over = |base: f64| format!("{:+.1}", micros - base);
        table.add_row([
            (*variant).to_owned(),
            format!("{micros:.1}"),
            over(plain),
            over(no_op),
            format!("{:.2}", micros / plain),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}\n(one worker, direct response, least of 9 rounds of 4,000 requests)");
    Ok(())
}
