//! A service of which nothing runs is empty, and takes nobody else with it.

use super::aws::{fargate, observation, running};
use super::{Outcome, join};

/// Once with nothing that runs, once with a task whose labels say another service.
#[track_caller]
fn goes_on(mesh: &str) -> Outcome {
    let other = fargate("other:1", &[("meshwright.service.other.svc", "app:3000")]);
    let task = running("t1", &other, "10.0.0.11");
    join(mesh, &observation(vec![other], vec![task])).compiled();
    let outcome = join(mesh, &observation(Vec::new(), Vec::new()));
    outcome.compiled();
    let found = outcome.found();
    assert!(found.contains(&"unknown-service: no service is called `orders.svc`".to_owned()), "{found:?}");
    outcome
}

const WEB: &str = "service \"web.svc\" { endpoint \"10.7.0.1:80\"; ";

#[test]
fn a_node_that_calls_it() {
    goes_on("node \"client\" { calls \"orders.svc\"; }");
    goes_on("node \"client\" { calls \"orders.svc\" local-port=9001; }");
}

#[test]
fn a_node_that_serves_it() {
    goes_on("node \"orders\" { serves \"orders.svc\"; }");
}

#[test]
fn a_gateway() {
    goes_on("gateway \"front\" { listen 8080; host \"example.com\" { to \"orders.svc\"; }; }");
    goes_on("gateway \"front\" { listen 5432 protocol=\"tcp\" { to \"orders.svc\"; }; }");
}

#[test]
fn routes_and_their_subsets() {
    goes_on(&format!("{WEB} route path-prefix=\"/orders\" {{ to \"orders.svc\"; }}; }}"));
    goes_on(&format!("{WEB} route path-prefix=\"/orders\" {{ to \"orders.svc\" subset=\"v2\"; }}; }}"));
}

#[test]
fn failover_and_mirrors() {
    goes_on(&format!("{WEB} failover \"orders.svc\"; }}"));
    goes_on(&format!("{WEB} mirror to=\"orders.svc\"; }}"));
    goes_on(&format!("{WEB} protocol \"grpc\"; mirror to=\"orders.svc\"; }}"));
}

#[test]
fn callers_in_authorization() {
    goes_on(&format!(
        "certificate-provider \"ca\" {{ folder \"/certs\"; }}\n{WEB} \
         tls {{ certificate provider=\"ca\"; client {{ ca-provider \"ca\"; }}; }}; \
         client-tls {{ server ca-provider=\"ca\"; certificate provider=\"ca\"; }}; \
         authorization {{ rule \"allow\" {{ from \"orders.svc\"; }}; }}; }}"
    ));
}

#[test]
fn a_task_that_ends_takes_nobody_with_it() {
    let definition = fargate("orders:1", &[("meshwright.service.orders.svc", "app:3000")]);
    let mut task = running("t1", &definition, "10.0.0.11");
    let mesh = "node \"client\" { calls \"orders.svc\"; }";
    let outcome = join(mesh, &observation(vec![definition.clone()], vec![task.clone()]));
    outcome.compiled();
    assert_eq!(outcome.found(), [""; 0]);
    task.last_status = "STOPPED".to_owned();
    let outcome = join(mesh, &observation(vec![definition], vec![task]));
    outcome.compiled();
    assert_eq!(outcome.found(), ["unknown-service: no service is called `orders.svc`"]);
}
