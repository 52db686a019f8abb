//! A host that breaks every promise: hostcalls fail, callbacks come in any order, values are anything. The real module
//! never traps, and no filter that guards lets through what it would refuse.

#[path = "odd_host/chance.rs"]
mod chance;
#[path = "odd_host/host.rs"]
mod host;

use chance::Chance;
use host::{Failing, Guest, World};
use policy::FILTERS;
use policy::testdata::{Case, Table, tables};

#[test]
fn callbacks_in_any_order_with_hostcalls_that_fail_never_trap() {
    let mut calls = 0;
    for (round, (table, config)) in everything().cycle().take(ROUNDS * everything().count()).enumerate() {
        let mut chance = Chance::of(round);
        let mut guest = Guest::configured(table.root_id, config);
        for _ in 0..CALLS {
            let case = chance.choose(&table.cases);
            let world = guest.world();
            world.ask(case);
            world.hostile = chance.below(3) == 0;
            world.failing = match chance.below(4) {
                0 => Failing::Never,
                1 => Failing::Call(chance.below(host::HOSTCALLS)),
                _ => Failing::OneIn(1 + chance.below(8)),
            };
            let context = u32::try_from(chance.below(7)).unwrap_or_default();
            let (count, flag) = (u32::try_from(chance.below(3)).unwrap_or_default(), chance.below(2) == 1);
            let (callback, parameters) = match chance.below(10) {
                0 | 1 => ("proxy_on_context_create", vec![context.max(2), u32::from(chance.below(8) != 0)]),
                2..=4 => ("proxy_on_request_headers", vec![context, count, flag.into()]),
                5 => ("proxy_on_request_body", vec![context, count, flag.into()]),
                6 => ("proxy_on_request_trailers", vec![context, count]),
                7 => ("proxy_on_response_headers", vec![context, count, flag.into()]),
                8 => ("proxy_on_tick", vec![context.min(2)]),
                _ => ("proxy_on_delete", vec![context.max(2)]),
            };
            guest.call(callback, &parameters);
            calls += 1;
        }
    }
    println!("{calls} callbacks without a trap");
}

const ROUNDS: usize = 3;
const CALLS: usize = 300;

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    for filter in FILTERS {
        for call in 0..host::HOSTCALLS {
            let mut world = World::of(filter.root_id, "{");
            world.failing = Failing::Call(call);
            assert!(Guest::start(world).is_none(), "{}: accepted", filter.root_id);
        }
    }
}

/// A filter that cannot ask does not know: what it would refuse it must not let through.
#[test]
fn hostcalls_that_fail_open_no_door() {
    const GUARDS: [&str; 4] = ["api-key", "basic-auth", "hmac-signature", "ip-access"];
    let tables = tables().expect("the tables are well-formed");
    let mut opened = Vec::new();
    let mut asked = 0;
    for table in tables.iter().filter(|table| GUARDS.contains(&table.root_id)) {
        for (number, case) in table.cases.iter().filter(|case| is_refused(case)).enumerate() {
            let mut guest = Guest::configured(table.root_id, &table.configs[&case.config]);
            let calls = (0..host::HOSTCALLS).map(Failing::Call);
            for (attempt, failing) in calls.chain([2, 2, 2, 4, 4, 4].map(Failing::OneIn)).enumerate() {
                let context = u32::try_from(attempt + 2).unwrap_or_default();
                guest.world().chance = Chance::of(number * 100 + attempt);
                guest.world().failing = failing;
                asked += 1;
                if guest.lets_through(context, case) {
                    opened.push(format!("{}: {} ({failing:?})", table.root_id, case.name));
                }
            }
        }
    }
    println!("{asked} requests that are refused");
    assert!(opened.is_empty(), "{} of {asked} are let through:\n{}", opened.len(), opened.join("\n"));
}

fn is_refused(case: &Case) -> bool {
    matches!(case.expect.status, Some(401 | 403)) && case.repeat == 1
}

fn everything() -> impl Iterator<Item = (&'static Table, &'static String)> + Clone {
    static TABLES: std::sync::LazyLock<Vec<Table>> =
        std::sync::LazyLock::new(|| tables().expect("the tables are well-formed"));
    TABLES.iter().flat_map(|table| table.configs.values().map(move |config| (table, config)))
}
