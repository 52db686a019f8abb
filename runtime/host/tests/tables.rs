//! Every case of every table, decided by the real module in the wasm host.

use std::collections::BTreeMap;

use meshwright_host::{End, Module, Options, Outcome, Randomness, Vm};
use policy::testdata::{self, Case, Observed, tables};

#[test]
fn every_case_is_decided_as_its_table_says() {
    let module = Module::load(artifacts::MODULE).expect("the module loads");
    let mut decided = 0;
    let mut wrong = Vec::new();
    for table in tables().expect("the tables are well-formed") {
        let start = |(name, config): (&String, &String)| {
            let vm = module.start(table.root_id, config, Options::default());
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

fn decide(vm: &mut Vm, case: &Case) -> Observed {
    let draws = case.random.clone().unwrap_or_default();
    vm.set_random(Randomness::Scripted(draws.into()));
    let headers = case.request.iter().map(|(name, value)| (name, value));
    let outcome = vm.http_request(headers).unwrap_or_else(|trap| panic!("{}: {trap}", case.name));
    observed(outcome)
}

fn observed(outcome: Outcome) -> Observed {
    let delay = u32::try_from(outcome.delayed_millis).expect("a delay of less than 50 days");
    let end = match outcome.end {
        End::Continued { headers } => testdata::End::Forwarded(headers),
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
