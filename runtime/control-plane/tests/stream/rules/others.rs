//! Rules about versions, sharing, and what operators see.

use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use expect_test::expect;
use meshwright_control_plane::{Outgoing, Stream, Variant, View};

use crate::script::{Conversation, check, check_one, subscribe};
use crate::world::view;

#[test]
fn rule_21_the_version_of_a_resource_is_that_of_its_content() {
    let (one, same, other) = (view("eds.a=1"), view("eds.a=1 cds.b=1"), view("eds.a=2"));
    let version = |view: &View| view.of(ResourceKind::Endpoints).version().to_owned();
    assert_eq!(version(&one), version(&same));
    assert_ne!(version(&one), version(&other));
}

#[test]
fn rule_22_nothing_expires() {
    for variant in [Variant::StateOfTheWorld, Variant::Delta] {
        let mut conversation = Conversation::new(variant);
        for line in ["view cds.a=1 eds.a=1", "CDS", "EDS a", "ack", "at 86400s"] {
            conversation.line(line);
        }
        assert!(conversation.text.ends_with("settled\n> at 86400s\n"), "{}", conversation.text);
    }
}

#[test]
fn rule_23_streams_of_one_view_share_its_bytes() {
    let view = view("cds.a=1 cds.b=1 eds.a=1");
    for variant in [Variant::StateOfTheWorld, Variant::Delta] {
        let [first, second] = [(); 2].map(|()| {
            let mut stream = Stream::new(variant, Arc::clone(&view));
            let ask = |kind: ResourceKind, names: &[&str]| subscribe(variant, kind, names);
            let mut sent = Vec::new();
            for (kind, names) in [(ResourceKind::Cluster, &[][..]), (ResourceKind::Endpoints, &["a"])] {
                sent.extend(stream.on_request(ask(kind, names), Duration::ZERO).expect("a step").send);
            }
            sent
        });
        assert_eq!(first.len(), 2);
        for (first, second) in first.iter().zip(&second) {
            let bytes = |outgoing: &Outgoing| outgoing.parts.last().map(|part| part.as_ptr());
            assert_eq!(bytes(first), bytes(second));
        }
    }
}

#[test]
fn rule_24_a_cluster_can_be_asked_for_besides_everything() {
    check_one(
        Variant::Delta,
        "view cds.a=1 cds.b=1
         CDS
         CDS +b +c
         ack
         view cds.a=1 cds.b=1 cds.c=1",
        expect![[r#"
            > view cds.a=1 cds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > CDS +b +c
              < CDS b=1 -c #2
            > ack
              settled
            > view cds.a=1 cds.b=1 cds.c=1
              < CDS c=1 #3
        "#]],
    );
}

#[test]
fn rule_24_a_secret_is_replaced_in_one_response() {
    check(
        "view sds.cert=1 sds.ca=1
         SDS cert
         SDS ca cert
         ack
         view sds.cert=2 sds.ca=2
         ack",
        expect![[r#"
            > view sds.cert=1 sds.ca=1
            > SDS cert
              < SDS cert=1 #1
            > SDS ca cert
              < SDS ca=1 #2
            > ack
              settled
            > view sds.cert=2 sds.ca=2
              < SDS ca=2 cert=2 #3
            > ack
              settled
        "#]],
        expect![[r#"
            > view sds.cert=1 sds.ca=1
            > SDS cert
              < SDS cert=1 #1
            > SDS ca cert
              < SDS ca=1 #2
            > ack
              settled
            > view sds.cert=2 sds.ca=2
              < SDS ca=2 cert=2 #3
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_25_a_stream_tells_what_was_sent_acknowledged_and_refused() {
    for variant in [Variant::StateOfTheWorld, Variant::Delta] {
        let mut conversation = Conversation::new(variant);
        for line in ["view cds.a=1 cds.b=1 eds.a=1", "CDS", "EDS a z", "ack EDS", "nack CDS listener {password}"] {
            conversation.line(line);
        }
        let status = conversation.status();
        let [clusters, endpoints] = status.as_slice() else { panic!("two types: {status:?}") };
        assert!(clusters.wildcard && clusters.acknowledged.is_none() && clusters.resources.iter().all(|it| !it.2));
        assert_eq!(clusters.refused.as_ref().map(|it| (&it.0, &*it.1)), clusters.sent.as_ref().zip(Some("listener …")));
        assert_eq!((endpoints.subscribed, endpoints.wildcard), (2, false));
        assert!(endpoints.sent.is_some() && endpoints.sent == endpoints.acknowledged);
        assert_eq!(endpoints.resources, [("a".into(), "1".into(), true)]);
    }
}
