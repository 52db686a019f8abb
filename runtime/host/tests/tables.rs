//! Every case of every table, decided by the real module in the wasm host.

use std::collections::BTreeMap;

use meshwright_host::{End, Exchange, Module, Options, Outcome, Randomness, Vm};
use policy::Property;
use policy::testdata::{self, Case, Observed, tables};

#[test]
fn every_case_is_decided_as_its_table_says() {
    let module = Module::load(artifacts::MODULE).expect("the module loads");
    let mut decided = 0;
    let mut wrong = Vec::new();
    for table in tables().expect("the tables are well-formed") {
        let start = |(name, config): (&String, &String)| {
            let vm = module.start(table.root_id, config, options());
            (name.clone(), vm.unwrap_or_else(|error| panic!("{name}: {error}")))
        };
        let mut vms: BTreeMap<String, Vm> = table.configs.iter().map(start).collect();
        for case in &table.cases {
            let vm = vms.get_mut(&case.config).expect("each case names a configuration");
            decided += 1;
            wrong.extend(case.check(&decide(vm, case)).err());
        }
    }
    assert!(wrong.is_empty(), "{} of {decided} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn options() -> Options {
    Options { allow_on_headers_stop_iteration: true, ..Options::default() }
}

fn decide(vm: &mut Vm, case: &Case) -> Observed {
    let draws = case.random.clone().unwrap_or_default();
    vm.set_random(Randomness::Scripted(draws.into()));
    for property in [Property::SourceAddress, Property::PeerUri] {
        vm.remove_property(property.path());
    }
    for (property, value) in &case.properties {
        vm.set_property(property.path(), value.as_bytes());
    }
    vm.set_unix_seconds(case.at.unwrap_or(NOW));
    let exchange = Exchange {
        request: case.request.clone(),
        body: case.body.clone(),
        trailers: Vec::new(),
        response: case.upstream.clone(),
    };
    let send = |vm: &mut Vm| vm.exchange(&exchange).unwrap_or_else(|trap| panic!("{}: {trap}", case.name));
    let mut outcome = send(vm);
    for _ in 1..case.repeat {
        vm.advance(case.pause_millis).unwrap_or_else(|trap| panic!("{}: {trap}", case.name));
        outcome = send(vm);
    }
    observed(outcome)
}

/// Where a case does not say when it is.
const NOW: u64 = 1_790_000_000;

fn observed(outcome: Outcome) -> Observed {
    let delay = u32::try_from(outcome.delayed_millis).expect("a delay of less than 50 days");
    let end = match outcome.end {
        End::Continued { headers, response } => testdata::End::Forwarded { headers, response },
        End::Replied(reply) => testdata::End::Replied {
            status: u16::try_from(reply.status).expect("an HTTP status"),
            headers: reply.headers,
            body: reply.body,
            details: reply.details,
        },
        end @ (End::Closed | End::Held) => panic!("the request is {end:?}"),
    };
    Observed { delay_millis: (delay > 0).then_some(delay), end }
}
