//! No request and no configuration makes the real module trap.

use std::cell::RefCell;
use std::sync::LazyLock;

use meshwright_host::{Module, Options, StartError, Vm};
use policy::FILTERS;
use policy::testdata::tables;
use proptest::collection::vec;
use proptest::prelude::*;

static MODULE: LazyLock<Module> = LazyLock::new(|| Module::load(artifacts::MODULE).expect("the module loads"));

fn header() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let name = prop_oneof![
        "(:authority|:path|:method|authorization|x-user|x-canary|x-tenant|x-meshwright-route|cookie)"
            .prop_map(String::into_bytes),
        "(x-api-key|signature|signature-input|content-digest|x-forwarded-for|x-request-id|origin|content-type)"
            .prop_map(String::into_bytes),
        vec(any::<u8>(), 0..12),
    ];
    let value = prop_oneof![
        "(shop.svc|broken.svc|admin.svc|any.svc|/healthz|GET|on|Basic YWxpY2U6c2VjcmV0)".prop_map(String::into_bytes),
        "(B|b)asic [A-Za-z0-9+/=]{0,64}".prop_map(String::into_bytes),
        "[a-z]{0,5}=\\((\"[a-z@-]{0,9}\" ?){0,4}\\);[a-z]{0,9}=[\"0-9:A-Za-z+/=]{0,50}".prop_map(String::into_bytes),
        "([0-9a-f.:\\[\\]/]{0,20}, ?){0,5}(application/grpc|OPTIONS|null)?".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..200),
        (1_usize..60_000).prop_map(|length| vec![b'a'; length]),
    ];
    (name, value)
}

fn config() -> impl Strategy<Value = String> {
    let tables = tables().expect("the tables are well-formed");
    let good: Vec<String> = tables.iter().flat_map(|table| table.configs.values().cloned()).collect();
    let damaged =
        (prop::sample::select(good), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, place, byte)| {
            let mut bytes = text.into_bytes();
            let place = place.index(bytes.len());
            bytes[place] = byte;
            String::from_utf8_lossy(&bytes).into_owned()
        });
    prop_oneof![damaged, "\\PC{0,200}", (1_usize..5_000).prop_map(|depth| "[".repeat(depth))]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_requests(requests in vec(vec(header(), 0..40), 1..4)) {
        thread_local! {
            /// Every filter with every configuration of its table.
            static VMS: RefCell<Vec<Vm>> = RefCell::new(start_all());
        }
        VMS.with_borrow_mut(|vms| {
            for vm in vms {
                for request in &requests {
                    let outcome = vm.http_request(request.iter().map(|(name, value)| (name, value)));
                    prop_assert!(outcome.is_ok(), "{outcome:?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn whatever_the_configuration(config in config(), request in vec(header(), 0..10)) {
        for root_id in FILTERS.iter().map(|filter| filter.root_id).chain([""]) {
            match MODULE.start(root_id, &config, Options::default()) {
                Ok(mut vm) => {
                    let outcome = vm.http_request(request.iter().map(|(name, value)| (name, value)));
                    prop_assert!(outcome.is_ok(), "{outcome:?}");
                }
                Err(StartError::Refused { .. }) => {}
                Err(trap) => return Err(TestCaseError::fail(trap.to_string())),
            }
        }
    }
}

fn start_all() -> Vec<Vm> {
    let tables = tables().expect("the tables are well-formed");
    let starts = tables
        .iter()
        .flat_map(|table| table.configs.values().map(|config| MODULE.start(table.root_id, config, Options::default())));
    starts.map(|vm| vm.expect("the configurations of the tables are good")).collect()
}
