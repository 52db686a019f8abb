//! Clients that break the rules, or want too much: every request has a defined answer, and nothing grows without end.

use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use envoy::config::core::v3::Node;
use envoy::google::rpc::Status;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use expect_test::expect;
use meshwright_control_plane::{Event, Refusal, Request, Stream, Variant};

use crate::script::{check, check_one, subscribe};
use crate::world::view;

const BOTH: [Variant; 2] = [Variant::StateOfTheWorld, Variant::Delta];

fn open(variant: Variant) -> Stream {
    Stream::new(variant, view("cds.a=1 eds.a=1"))
}

#[test]
fn a_request_without_a_type_ends_the_stream() {
    for variant in BOTH {
        let request = match variant {
            Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest::default()),
            Variant::Delta => Request::Delta(DeltaDiscoveryRequest::default()),
        };
        let refusal = open(variant).on_request(request, Duration::ZERO);
        assert!(matches!(refusal, Err(Refusal::InvalidArgument(_))), "{refusal:?}");
    }
}

#[test]
fn a_request_of_the_other_variant_ends_the_stream() {
    for (mine, other) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let refusal = open(mine).on_request(subscribe(other, ResourceKind::Cluster, &[]), Duration::ZERO);
        assert!(matches!(refusal, Err(Refusal::InvalidArgument(_))), "{refusal:?}");
    }
}

#[test]
fn more_names_than_anybody_needs_end_the_stream() {
    for variant in BOTH {
        let names: Vec<String> = (0..100_001).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ask = |names: &[&str]| {
            open(variant).on_request(subscribe(variant, ResourceKind::Endpoints, names), Duration::ZERO)
        };
        assert!(matches!(ask(&names), Err(Refusal::ResourceExhausted(_))));
        assert!(ask(&names[1..]).is_ok());
    }
}

#[test]
fn names_count_together_on_a_stream() {
    let mut stream = open(Variant::Delta);
    let mut asked = 0;
    let refusal = loop {
        let names: Vec<String> = (asked..asked + 10_000).map(|number| number.to_string()).collect();
        asked += 10_000;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let kind = ResourceKind::ALL[asked / 10_000 % ResourceKind::ALL.len()];
        if let Err(refusal) = stream.on_request(subscribe(Variant::Delta, kind, &names), Duration::ZERO) {
            break refusal;
        }
    };
    assert!(matches!(refusal, Refusal::ResourceExhausted(_)) && asked == 110_000, "{asked}");
}

#[test]
fn long_names_end_the_stream() {
    for variant in BOTH {
        let ask = |length: usize| {
            let name = "x".repeat(length);
            open(variant).on_request(subscribe(variant, ResourceKind::Endpoints, &[&name]), Duration::ZERO)
        };
        assert!(matches!(ask(4097), Err(Refusal::InvalidArgument(_))));
        assert!(ask(4096).is_ok());
    }
}

#[test]
fn long_names_count_by_their_length() {
    for variant in BOTH {
        let names: Vec<String> = (0..3000).map(|number| format!("{number}{}", "x".repeat(4000))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let refusal = open(variant).on_request(subscribe(variant, ResourceKind::Endpoints, &names), Duration::ZERO);
        assert!(matches!(refusal, Err(Refusal::ResourceExhausted(_))));
    }
}

#[test]
fn claims_are_bounded_too() {
    let claim = |count: usize| {
        let initial_resource_versions = (0..count).map(|number| (number.to_string(), "1".repeat(100))).collect();
        let type_url = ResourceKind::Cluster.type_url();
        let request = DeltaDiscoveryRequest { type_url, initial_resource_versions, ..Default::default() };
        open(Variant::Delta).on_request(Request::Delta(request), Duration::ZERO)
    };
    assert!(matches!(claim(100_001), Err(Refusal::ResourceExhausted(_))));
    assert!(claim(100_000).is_ok());
}

#[test]
fn whoever_never_answers_is_not_remembered_for_ever() {
    let mut stream = open(Variant::Delta);
    let ask = |stream: &mut Stream| {
        stream.on_request(subscribe(Variant::Delta, ResourceKind::Endpoints, &["a"]), Duration::ZERO)
    };
    let answered = (0..20_000).take_while(|_| ask(&mut stream).is_ok()).count();
    assert_eq!(answered, 10_001);
    assert!(matches!(ask(&mut stream), Err(Refusal::ResourceExhausted(_))));
}

/// Names that nobody has are told to be missing, whether or not the client ever says that it heard it.
#[test]
fn names_that_are_given_up_are_forgotten() {
    let mut stream = open(Variant::Delta);
    for round in 0..1000 {
        let request = DeltaDiscoveryRequest {
            type_url: ResourceKind::Endpoints.type_url(),
            resource_names_subscribe: vec![format!("name-{round}")],
            resource_names_unsubscribe: (1..=round).last().map(|it| format!("name-{}", it - 1)).into_iter().collect(),
            ..Default::default()
        };
        let step = stream.on_request(Request::Delta(request), Duration::ZERO).expect("a step");
        assert_eq!(step.send.len(), 1);
    }
    assert_eq!(remembered(&stream), ["name-999"]);
}

/// A client that came back and refused its clusters is told no routes.
#[test]
fn names_that_wait_for_an_answer_are_bounded() {
    for variant in BOTH {
        let mut stream = stuck(variant);
        let mut before = Vec::new();
        for round in 0..1000 {
            let names = vec![format!("name-{round}")];
            let request = match variant {
                Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                    type_url: ResourceKind::Routes.type_url(),
                    resource_names: names,
                    ..Default::default()
                }),
                Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
                    type_url: ResourceKind::Routes.type_url(),
                    resource_names_subscribe: names.clone(),
                    resource_names_unsubscribe: std::mem::replace(&mut before, names),
                    ..Default::default()
                }),
            };
            let step = stream.on_request(request, Duration::ZERO).expect("a step");
            assert_eq!(step.send, []);
        }
        assert_eq!(remembered(&stream), ["name-999"]);
    }
}

/// Whoever wants everything gives no name up.
#[test]
fn names_that_wait_for_an_answer_count_although_they_are_part_of_everything() {
    let mut stream = stuck(Variant::Delta);
    let mut ask = |subscribe: Vec<String>, unsubscribe: Vec<String>| {
        let request = DeltaDiscoveryRequest {
            type_url: ResourceKind::Routes.type_url(),
            resource_names_subscribe: subscribe,
            resource_names_unsubscribe: unsubscribe,
            ..Default::default()
        };
        stream.on_request(Request::Delta(request), Duration::ZERO)
    };
    ask(vec!["*".to_owned()], Vec::new()).expect("a step");
    let names = |from: usize| (from..from + 40_000).map(|number| number.to_string()).collect::<Vec<_>>();
    assert!(ask(names(0), Vec::new()).is_ok());
    assert!(ask(names(40_000), names(0)).is_ok());
    assert!(matches!(ask(names(80_000), names(40_000)), Err(Refusal::ResourceExhausted(_))));
}

/// A client that came back and never acknowledges its clusters, and for which listeners change all the time.
#[test]
fn what_listeners_ask_for_is_remembered_once() {
    let mut stream = Stream::new(Variant::StateOfTheWorld, view("cds.a=1 lds.in=1>expected"));
    let mut ask = |kind: ResourceKind, names: &[&str], nonce: String, now: u64| {
        let request = DiscoveryRequest {
            type_url: kind.type_url(),
            version_info: "earlier".to_owned(),
            resource_names: names.iter().map(ToString::to_string).collect(),
            response_nonce: nonce,
            ..Default::default()
        };
        let step = stream.on_request(Request::StateOfTheWorld(request), Duration::from_secs(now)).expect("a step");
        let nonces = step.send.iter().map(|sent| crate::world::response(Variant::StateOfTheWorld, sent).nonce);
        nonces.fold(String::new(), |_, nonce| nonce)
    };
    ask(ResourceKind::Cluster, &[], String::new(), 0);
    ask(ResourceKind::Listener, &["in"], String::new(), 0);
    let mut nonce = ask(ResourceKind::Listener, &["in"], String::new(), 4);
    let mut told = 0;
    for _ in 0..100 {
        ask(ResourceKind::Listener, &["other"], nonce.clone(), 4);
        let next = ask(ResourceKind::Listener, &["in"], nonce.clone(), 4);
        if !next.is_empty() {
            (nonce, told) = (next, told + 1);
        }
    }
    assert!(told >= 99, "{told}");
    // In the view, in what is offered, and in what is waited for.
    let times = format!("{stream:?}").matches("Routes, \"expected\"").count();
    assert!(times <= 4, "{times}: {stream:?}");
}

/// A stream whose routes are held back until a view comes whose clusters are not refused.
fn stuck(variant: Variant) -> Stream {
    let mut stream = open(variant);
    let type_url = ResourceKind::Cluster.type_url();
    let error_detail = Some(Status::default());
    let requests = match variant {
        Variant::StateOfTheWorld => {
            let first = DiscoveryRequest { type_url, version_info: "earlier".to_owned(), ..Default::default() };
            let refusal = DiscoveryRequest { response_nonce: "1".to_owned(), error_detail, ..first.clone() };
            [Request::StateOfTheWorld(first), Request::StateOfTheWorld(refusal)]
        }
        Variant::Delta => {
            let initial_resource_versions = [("z".to_owned(), "1".to_owned())].into();
            let first = DeltaDiscoveryRequest { type_url, initial_resource_versions, ..Default::default() };
            let response_nonce = "1".to_owned();
            let refusal = DeltaDiscoveryRequest { response_nonce, error_detail, ..first.clone() };
            [Request::Delta(first), Request::Delta(refusal)]
        }
    };
    for request in requests {
        stream.on_request(request, Duration::ZERO).expect("a step");
    }
    stream
}

/// Which of the names `name-0`, `name-1`, … a stream still holds.
fn remembered(stream: &Stream) -> Vec<String> {
    let text = format!("{stream:?}");
    let names = text.split('"').filter(|word| word.starts_with("name-")).map(str::to_owned);
    names.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[test]
fn a_flood_of_answers_is_not_answered() {
    for variant in BOTH {
        let mut stream = open(variant);
        stream.on_request(subscribe(variant, ResourceKind::Cluster, &[]), Duration::ZERO).expect("a step");
        let (type_url, response_nonce) = (ResourceKind::Cluster.type_url(), "1".to_owned());
        for round in 0..10_000 {
            let error_detail = (round % 2 == 1).then(Status::default);
            let (type_url, response_nonce) = (type_url.clone(), response_nonce.clone());
            let request = match variant {
                Variant::StateOfTheWorld => Request::StateOfTheWorld(DiscoveryRequest {
                    type_url,
                    response_nonce,
                    error_detail,
                    ..Default::default()
                }),
                Variant::Delta => Request::Delta(DeltaDiscoveryRequest {
                    type_url,
                    response_nonce,
                    error_detail,
                    ..Default::default()
                }),
            };
            let step = stream.on_request(request, Duration::ZERO).expect("a step");
            assert!(step.send.is_empty());
            let refused = step.events.iter().any(|event| matches!(event, Event::Refused { .. }));
            assert!(!refused, "what was acknowledged is not refused any more");
        }
    }
}

#[test]
fn an_error_without_a_nonce_is_no_refusal() {
    for variant in BOTH {
        let mut stream = open(variant);
        stream.on_request(subscribe(variant, ResourceKind::Cluster, &[]), Duration::ZERO).expect("a step");
        let (type_url, error_detail) = (ResourceKind::Cluster.type_url(), Some(Status::default()));
        let request = match variant {
            Variant::StateOfTheWorld => {
                Request::StateOfTheWorld(DiscoveryRequest { type_url, error_detail, ..Default::default() })
            }
            Variant::Delta => Request::Delta(DeltaDiscoveryRequest { type_url, error_detail, ..Default::default() }),
        };
        let step = stream.on_request(request, Duration::ZERO).expect("a step");
        assert_eq!((step.send, step.events), (vec![], vec![]));
    }
}

#[test]
fn whoever_calls_itself_otherwise_later_is_told_the_same() {
    let mut stream = open(Variant::StateOfTheWorld);
    let node = Some(Node { id: "other".to_owned(), ..Default::default() });
    let request = DiscoveryRequest { type_url: ResourceKind::Cluster.type_url(), node, ..Default::default() };
    let step = stream.on_request(Request::StateOfTheWorld(request), Duration::ZERO).expect("a step");
    assert_eq!(step.send.len(), 1);
}

#[test]
fn names_twice_and_everything_among_names_are_one_answer() {
    check(
        "view cds.a=1 cds.b=1 eds.a=1 eds.b=1
         EDS * a
         CDS a * b
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > EDS * a
              < EDS a=1 b=1 #1
            > CDS a * b
              < CDS a=1 b=1 #2
            > ack
              < EDS a=1 b=1 #3
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > EDS * a
              < EDS a=1 b=1 #1
            > CDS a * b
              < CDS a=1 b=1 #2
            > ack
              < EDS a=1 b=1 #3
        "#]],
    );
    check_one(
        Variant::Delta,
        "view eds.a=1
         EDS +a -a
         view eds.a=2",
        expect![[r#"
            > view eds.a=1
            > EDS +a -a
              < EDS a=1 #1
            > view eds.a=2
        "#]],
    );
}

#[test]
fn requests_after_a_refusal_are_answered_once() {
    check(
        "view eds.a=1 eds.b=1
         EDS a
         nack EDS no
         EDS a
         EDS a b
         EDS a b
         ack",
        expect![[r#"
            > view eds.a=1 eds.b=1
            > EDS a
              < EDS a=1 #1
            > nack EDS no
              refused EDS: no
            > EDS a
            > EDS a b
              < EDS b=1 #2
            > EDS a b
            > ack
        "#]],
        expect![[r#"
            > view eds.a=1 eds.b=1
            > EDS a
              < EDS a=1 #1
            > nack EDS no
              refused EDS: no
            > EDS a
            > EDS a b
              < EDS b=1 #2
            > EDS a b
            > ack
        "#]],
    );
}

#[test]
fn bytes_of_resources_appear_in_no_debug_output() {
    let view = view("sds.key=hunter2");
    let mut stream = Stream::new(Variant::Delta, Arc::clone(&view));
    let step = stream.on_request(subscribe(Variant::Delta, ResourceKind::Secret, &["key"]), Duration::ZERO);
    let text = format!("{step:?} {view:?} {stream:?}");
    let number: Vec<String> = b"hunter".iter().map(ToString::to_string).collect();
    // Versions are contents here, and digests otherwise.
    assert!(!text.replace("hunter2\"", "").contains("key hunter") && !text.contains(&number.join(", ")), "{text}");
}
