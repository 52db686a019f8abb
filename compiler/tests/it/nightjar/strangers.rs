//! What a task that somebody started by mistake, or worse, takes from nobody.

use meshwright_compiler::observation::TaskDefinition;
use spec::mesh::Protocol;

use super::cluster::{Outcome, container, definition, join, observation, revision, task, words};
use super::{colour, gateway, of, one_each};

fn of_family(family: &str, of: TaskDefinition) -> TaskDefinition {
    let arn = format!("arn:aws:ecs:eu-central-1:1:task-definition/{family}:1");
    TaskDefinition { family: family.to_owned(), arn, ..of }
}

fn quarantined(outcome: &Outcome) -> Vec<&str> {
    outcome.joined.quarantined.iter().map(|it| it.who.as_str()).collect()
}

fn protocol(outcome: &Outcome, service: &str) -> Option<Protocol> {
    let service = outcome.mesh.services.iter().find(|it| it.name.value.as_str() == service).unwrap();
    service.protocol.map(|said| said.value)
}

#[test]
fn names_that_stand_for_a_namespace_are_nobodys_to_take() {
    let web = colour("web", "front", "blue", "NJ_NAMESPACE_PORT_1=pay:9001");
    let (pay, front) = (colour("pay", "api", "blue", "NJ_ROUTE_1=/charge"), gateway("pay", "NJ_PREFER_GATEWAY=true"));
    for says in [
        "NJ_NAMESPACE=public-routes.pay",
        "NJ_NAMESPACE=Public-Routes.pay",
        "NJ_NAMESPACE=gateways-of.pay",
        "NJ_NAMESPACE=public-routes-for-web.pay",
        "NJ_NAMESPACE=pay\nNJ_SERVICE=gateways-of",
        "NJ_NAMESPACE=pay\nNJ_SERVICE=public-routes-for-web",
        "NJ_NAMESPACE=charge\nNJ_SERVICE=pay\nNJ_COLOR=public-routes",
    ] {
        let mut stray = of_family("a-stray", colour("pay", "x", "red", "NJ_ROUTE_1=/"));
        stray.tags = words(says);
        let outcome = one_each(&[&web, &pay, &front, &stray]);
        outcome.checked();
        assert_eq!(quarantined(&outcome), ["a-stray:1"], "{says}");
        let reason = &outcome.joined.quarantined[0].reason;
        assert!(reason.starts_with("reserved-name: `NJ_") && !reason.contains('…'), "{reason}");
        assert_eq!(outcome.endpoints("gateways-of.pay"), ["10.0.0.3:2000"], "{says}");
    }
    // In words of the first version.
    let says = "SERVICE_ARN_1=public-routes\nSERVICE_CLUSTER_1=pay\nSERVICE_PATH_1=/\nEGRESS_LISTEN_PORT=8080";
    let stray = definition("a-stray", vec![container("proxy", says)]);
    let outcome = one_each(&[&web, &pay, &front, &stray]);
    outcome.checked();
    assert_eq!(quarantined(&outcome), ["a-stray:1"]);
    let mut stray = of_family("a-stray", gateway("pay", ""));
    stray.tags = words("NJ_NAMESPACE=public-routes.pay");
    assert_eq!(quarantined(&one_each(&[&web, &pay, &front, &stray])), ["a-stray:1"]);
}

#[test]
fn of_two_that_would_be_one_service_one_goes_and_not_one_after_another() {
    let pay = of_family("a-pay", colour("pay.prod", "api", "blue", "NJ_ROUTE_1=/charge"));
    let green = of_family("b-pay", colour("pay.prod", "api", "green", "NJ_ROUTE_1=/charge"));
    for stray in [colour("prod", "pay", "red", "NJ_ROUTE_1=/"), colour("blue.api.pay.prod", "x", "y", "NJ_ROUTE_1=/")] {
        let stray = of_family("z-stray", stray);
        let tasks =
            [&pay, &green, &stray].map(|it| task(it, &it.family, &format!("10.0.0.{}", it.family.as_bytes()[0])));
        let said = "mesh \"shop\" {\nnode \"client\" calls=\"pay.prod\"\n}";
        let outcome = join(said, &observation(&[&pay, &green, &stray], &tasks));
        outcome.checked();
        assert_eq!(quarantined(&outcome), ["z-stray:1"]);
        assert_eq!(outcome.endpoints("blue.api.pay.prod"), ["10.0.0.97:3000"]);
    }
}

#[test]
fn whoever_owns_a_namespace_owns_its_gateways() {
    let web = colour("web", "front", "blue", "NJ_NAMESPACE_PORT_1=pay:9001");
    let (pay, front) = (colour("pay", "api", "blue", "NJ_ROUTE_1=/charge"), gateway("pay", "NJ_PREFER_GATEWAY=true"));
    let stray = of_family("stray", front.clone());
    let tasks = [&web, &pay, &front, &stray];
    let tasks: Vec<_> = (1..).zip(tasks).map(|(n, it)| task(it, &format!("t{n}"), &format!("10.0.0.{n}"))).collect();
    let said = "mesh \"shop\" {\necs {\nowner \"pay\" family=\"pay-*\"\n}\n}";
    let outcome = join(said, &observation(&[&web, &pay, &front, &stray], &tasks));
    outcome.checked();
    assert_eq!(outcome.endpoints("gateways-of.pay"), ["10.0.0.3:2000"]);
    assert_eq!(quarantined(&outcome), ["stray:1"]);
    assert_eq!(outcome.joined.quarantined[0].reason, "`pay` is not its to claim: the mesh names other owners");
    assert!(!outcome.problems().contains("contested-service"), "{}", outcome.problems());
}

#[test]
fn gateways_of_several_families_are_named() {
    let pay = colour("pay", "api", "blue", "NJ_ROUTE_1=/charge");
    let (front, stray) = (gateway("pay", ""), of_family("stray", gateway("pay", "")));
    let outcome = one_each(&[&pay, &front, &stray]);
    outcome.checked();
    let problems = outcome.problems();
    assert!(problems.contains("`gateways-of.pay`: tasks of `pay-gateway` and `stray` claim it"), "{problems}");
}

#[test]
fn a_gateway_that_takes_the_calls_to_a_namespace_nobody_owns_is_named() {
    let web = colour("web", "front", "blue", "NJ_NAMESPACE_PORT_1=pay:9001");
    let pay = colour("pay", "api", "blue", "NJ_ROUTE_1=/charge");
    let stray = of_family("stray", gateway("pay", "NJ_PREFER_GATEWAY=true"));
    let problems = one_each(&[&web, &pay, &stray]).problems();
    assert!(problems.contains("contested-service") && problems.contains("`stray`"), "{problems}");
    // Whom nobody calls takes nothing.
    assert_eq!(one_each(&[&pay, &stray]).problems(), "");
}

#[test]
fn a_label_that_takes_the_name_of_a_namespace_is_named() {
    let (pay, front) = (colour("pay", "api", "blue", "NJ_ROUTE_1=/charge"), gateway("pay", ""));
    for name in ["pay", "public-routes.pay"] {
        let mut stray = definition("stray", vec![container("app 3000", "")]);
        stray.containers[0].labels.insert(format!("meshwright.service.{name}"), "app:3000".to_owned());
        let outcome = one_each(&[&pay, &front, &stray]);
        outcome.checked();
        let problems = outcome.problems();
        assert!(problems.contains(&format!("contested-service]: `{name}`: labels say")), "{problems}");
        // An owner keeps it.
        let tasks = [task(&pay, "t1", "10.0.0.1"), task(&front, "t2", "10.0.0.2"), task(&stray, "t3", "10.0.0.3")];
        let said = format!("mesh \"shop\" {{\necs {{\nowner \"{name}\" family=\"pay-*\"\n}}\n}}");
        let outcome = join(&said, &observation(&[&pay, &front, &stray], &tasks));
        outcome.checked();
        assert_eq!((quarantined(&outcome), outcome.endpoints(name)), (vec!["stray:1"], Vec::new()));
    }
}

#[test]
fn no_family_takes_over_a_proxy_that_is_called_as_it() {
    // A node that somebody wrote.
    let front = of_family("web", gateway("pay", ""));
    let said = "mesh \"shop\" {\nservice \"orders\" {\nendpoint \"10.0.9.9:80\"\n}\nnode \"web\"\n}";
    let outcome = join(said, &observation(&[&front], &[task(&front, "t1", "10.0.0.1")]));
    outcome.checked();
    assert!(outcome.mesh.nodes.iter().any(|node| node.name.value.as_str() == "web"), "{}", outcome.kdl());
    assert_eq!(outcome.joined.aliases.get("web"), None);
    // A gateway that is made of other tasks.
    let (front, stray) = (gateway("pay", ""), of_family("gateway-pay", colour("web", "front", "blue", "NJ_ROUTE_1=/")));
    let outcome = one_each(&[&front, &stray]);
    outcome.checked();
    assert_eq!(outcome.joined.aliases.get("gateway-pay"), None);
    // A node of other tasks.
    let other = definition("mail", vec![container("app 3000", "")]);
    let mut other = TaskDefinition { revision: 7, ..other };
    other.containers[0].labels.insert("meshwright.service.mail.svc".to_owned(), "app:3000".to_owned());
    other.containers[0].labels.insert("meshwright.sidecar".to_owned(), "true".to_owned());
    let stray = of_family("mail/7", gateway("pay", ""));
    let outcome = one_each(&[&other, &stray]);
    outcome.checked();
    assert!(outcome.mesh.nodes.iter().any(|node| node.name.value.as_str() == "mail/7"), "{}", outcome.kdl());
    assert_eq!(outcome.joined.aliases.get("mail/7"), None);
}

#[test]
fn a_task_that_gets_no_requests_says_no_protocol() {
    let says = |version: u32, says: &str| TaskDefinition {
        family: "web".to_owned(),
        ..revision("web", version, colour("web", "front", "blue", &format!("NJ_ROUTE_1=/\n{says}")).containers)
    };
    let (old, new) = (says(1, ""), says(2, "NJ_PROTOCOL=HTTP2"));
    let mut starting = task(&new, "a", "10.0.0.1");
    starting.last_status = "PENDING".to_owned();
    let tasks = [starting, task(&old, "b", "10.0.0.2")];
    let outcome = of(&[&old, &new], &tasks);
    outcome.checked();
    assert_eq!(protocol(&outcome, "blue.front.web"), None);
    // As soon as it gets them, the newest says it.
    let tasks = [task(&old, "a", "10.0.0.1"), task(&new, "b", "10.0.0.2")];
    assert_eq!(protocol(&of(&[&old, &new], &tasks), "blue.front.web"), Some(Protocol::Http2));
    let back = [says(3, "")];
    let tasks = [task(&new, "a", "10.0.0.1"), task(&back[0], "b", "10.0.0.2")];
    assert_eq!(protocol(&of(&[&new, &back[0]], &tasks), "blue.front.web"), None);
}

#[test]
fn a_gateway_that_is_not_ready_decides_nothing_for_those_that_are() {
    let web = colour("web", "front", "blue", "NJ_NAMESPACE_PORT_1=pay:9001");
    let pay = colour("pay", "api", "blue", "NJ_ROUTE_1=/charge");
    let front = gateway("pay", "");
    let mut new = of_family("pay-gateway-2", gateway("pay", "NJ_PREFER_GATEWAY=true\nNJ_PROTOCOL=HTTP2"));
    new.revision = 2;
    let mut starting = task(&new, "a", "10.0.0.1");
    starting.last_status = "PENDING".to_owned();
    let tasks = [starting, task(&front, "b", "10.0.0.2"), task(&web, "c", "10.0.0.3"), task(&pay, "d", "10.0.0.4")];
    let outcome = of(&[&web, &pay, &front, &new], &tasks);
    outcome.checked();
    assert!(outcome.kdl().contains("calls \"public-routes.pay\""), "{}", outcome.kdl());
    let listen = &outcome.mesh.gateways[0].listen;
    assert_eq!(listen.iter().map(|it| it.protocol.map(|it| it.value)).collect::<Vec<_>>(), [None]);
}
