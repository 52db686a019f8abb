//! The rules of xDS that a stream must keep, one by one.

use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use expect_test::expect;
use meshwright_control_plane::{Outgoing, Stream, Variant, View};

use crate::script::{Conversation, check, check_one, subscribe};
use crate::world::view;

#[test]
fn rule_02_every_type_has_its_own_nonce_and_version() {
    check(
        "view cds.a=1 eds.a=1
         CDS
         EDS a
         ack EDS
         ack CDS",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack EDS
            > ack CDS
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack EDS
            > ack CDS
              settled
        "#]],
    );
}

#[test]
fn rule_03_a_refusal_is_an_error_and_not_a_version() {
    check(
        "view cds.a=1
         CDS
         nack CDS no
         view cds.a=2",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > nack CDS no
              refused CDS: no
            > view cds.a=2
              < CDS a=2 #2
        "#]],
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > nack CDS no
              refused CDS: no
            > view cds.a=2
              < CDS a=2 #2
        "#]],
    );
}

#[test]
fn rule_04_an_acknowledgement_is_not_answered() {
    check(
        "view cds.a=1
         CDS
         ack
         view cds.a=1
         view cds.a=2
         ack",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > ack
              settled
            > view cds.a=1
            > view cds.a=2
              < CDS a=2 #2
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > ack
              settled
            > view cds.a=1
            > view cds.a=2
              < CDS a=2 #2
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_05_a_response_names_nothing_twice() {
    check(
        "view eds.a=1
         EDS a a
         view eds.a=2
         ack",
        expect![[r#"
            > view eds.a=1
            > EDS a a
              < EDS a=1 #1
            > view eds.a=2
            > ack
              < EDS a=2 #2
        "#]],
        expect![[r#"
            > view eds.a=1
            > EDS a a
              < EDS a=1 #1
            > view eds.a=2
            > ack
              < EDS a=2 #2
        "#]],
    );
    check_one(
        Variant::Delta,
        "view cds.a=1
         CDS +* +a
         ack",
        expect![[r#"
            > view cds.a=1
            > CDS +* +a
              < CDS a=1 #1
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_06_additions_then_routes_then_removals() {
    check(
        "view cds.old=1 eds.old=1 sds.key=1 lds.in=1>r ecds.x=1 rds.r=1
         CDS
         EDS old
         SDS key
         LDS
         ECDS x
         RDS r
         ack
         view cds.new=1 eds.new=1 sds.key=2 lds.in=2>r ecds.x=2 rds.r=2
         EDS old new
         ack SDS EDS
         ack CDS
         ack LDS ECDS RDS
         ack",
        expect![[r#"
            > view cds.old=1 eds.old=1 sds.key=1 lds.in=1>r ecds.x=1 rds.r=1
            > CDS
              < CDS old=1 #1
            > EDS old
              < EDS old=1 #2
            > SDS key
              < SDS key=1 #3
            > LDS
              < LDS in=1 #4
            > ECDS x
              < ECDS x=1 #5
            > RDS r
              < RDS r=1 #6
            > ack
              settled
            > view cds.new=1 eds.new=1 sds.key=2 lds.in=2>r ecds.x=2 rds.r=2
              < CDS new=1 old=1 #7
              < SDS key=2 #8
            > EDS old new
              < EDS new=1 #9
            > ack SDS EDS
            > ack CDS
              < LDS in=2 #10
              < ECDS x=2 #11
              < RDS r=2 #12
            > ack LDS ECDS RDS
              < CDS new=1 #13
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.old=1 eds.old=1 sds.key=1 lds.in=1>r ecds.x=1 rds.r=1
            > CDS
              < CDS old=1 #1
            > EDS old
              < EDS old=1 #2
            > SDS key
              < SDS key=1 #3
            > LDS
              < LDS in=1 #4
            > ECDS x
              < ECDS x=1 #5
            > RDS r
              < RDS r=1 #6
            > ack
              settled
            > view cds.new=1 eds.new=1 sds.key=2 lds.in=2>r ecds.x=2 rds.r=2
              < CDS new=1 #7
              < SDS key=2 #8
            > EDS old new
              < EDS new=1 #9
            > ack SDS EDS
            > ack CDS
              < LDS in=2 #10
              < ECDS x=2 #11
              < RDS r=2 #12
            > ack LDS ECDS RDS
              < CDS -old #13
              < EDS -old #14
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_07_endpoints_are_sent_again_with_a_changed_cluster() {
    check(
        "view cds.a=1 cds.b=1 eds.a=1 eds.b=1
         CDS
         EDS a b
         ack
         view cds.a=2 cds.b=1 eds.a=1 eds.b=1
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > ack
              settled
            > view cds.a=2 cds.b=1 eds.a=1 eds.b=1
              < CDS a=2 b=1 #3
              < EDS a=1 #4
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > ack
              settled
            > view cds.a=2 cds.b=1 eds.a=1 eds.b=1
              < CDS a=2 #3
              < EDS a=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_07_routes_are_sent_again_with_a_changed_listener() {
    check(
        "view lds.in=1>r lds.out=1>s rds.r=1 rds.s=1
         LDS
         RDS r s
         ack
         view lds.in=2>r lds.out=1>s rds.r=1 rds.s=1
         ack",
        expect![[r#"
            > view lds.in=1>r lds.out=1>s rds.r=1 rds.s=1
            > LDS
              < LDS in=1 out=1 #1
            > RDS r s
              < RDS r=1 s=1 #2
            > ack
              settled
            > view lds.in=2>r lds.out=1>s rds.r=1 rds.s=1
              < LDS in=2 out=1 #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
        expect![[r#"
            > view lds.in=1>r lds.out=1>s rds.r=1 rds.s=1
            > LDS
              < LDS in=1 out=1 #1
            > RDS r s
              < RDS r=1 s=1 #2
            > ack
              settled
            > view lds.in=2>r lds.out=1>s rds.r=1 rds.s=1
              < LDS in=2 #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_08_what_does_not_exist_yet_is_sent_when_it_does() {
    check(
        "view cds.a=1
         EDS a
         CDS b
         ack
         view cds.a=1 cds.b=1 eds.a=1
         ack",
        expect![[r#"
            > view cds.a=1
            > EDS a
            > CDS b
            > ack
            > view cds.a=1 cds.b=1 eds.a=1
              < CDS b=1 #1
              < EDS a=1 #2
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1
            > EDS a
              < EDS -a #1
            > CDS b
              < CDS -b #2
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1
              < CDS b=1 #3
              < EDS a=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_09_an_unknown_type_keeps_the_stream() {
    check(
        "view cds.a=1
         envoy.service.runtime.v3.Runtime layer
         VHDS *
         CDS
         ack CDS",
        expect![[r#"
            > view cds.a=1
            > envoy.service.runtime.v3.Runtime layer
            > VHDS *
            > CDS
              < CDS a=1 #1
            > ack CDS
              settled
        "#]],
        expect![[r#"
            > view cds.a=1
            > envoy.service.runtime.v3.Runtime layer
              < type.googleapis.com/envoy.service.runtime.v3.Runtime -layer #1
            > VHDS *
            > CDS
              < CDS a=1 #2
            > ack CDS
              settled
        "#]],
    );
}

#[test]
fn rule_10_clusters_and_listeners_are_complete_and_the_rest_is_what_changed() {
    check(
        "view cds.a=1 cds.b=1 eds.a=1 eds.b=1
         CDS
         EDS a b
         ack
         view cds.a=1 cds.b=1 cds.c=1 eds.a=1 eds.b=2
         ack
         view cds.a=1
         ack
         view
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > ack
              settled
            > view cds.a=1 cds.b=1 cds.c=1 eds.a=1 eds.b=2
              < CDS a=1 b=1 c=1 #3
              < EDS b=2 #4
            > ack
              settled
            > view cds.a=1
              < CDS a=1 #5
            > ack
              settled
            > view
              < CDS #6
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > ack
              settled
            > view cds.a=1 cds.b=1 cds.c=1 eds.a=1 eds.b=2
              < CDS c=1 #3
              < EDS b=2 #4
            > ack
              settled
            > view cds.a=1
              < CDS -b -c #5
              < EDS -a -b #6
            > ack
              settled
            > view
              < CDS -a #7
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_10_named_clusters_are_complete_too() {
    check(
        "view cds.a=1 cds.b=1 cds.c=1
         CDS a b
         ack
         view cds.a=1 cds.b=2 cds.c=1
         ack
         view cds.b=2 cds.c=1
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=1 cds.c=1
            > CDS a b
              < CDS a=1 b=1 #1
            > ack
              settled
            > view cds.a=1 cds.b=2 cds.c=1
              < CDS a=1 b=2 #2
            > ack
              settled
            > view cds.b=2 cds.c=1
              waits until 2s
            > ack
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1 cds.c=1
            > CDS a b
              < CDS a=1 b=1 #1
            > ack
              settled
            > view cds.a=1 cds.b=2 cds.c=1
              < CDS b=2 #2
            > ack
              settled
            > view cds.b=2 cds.c=1
              waits until 2s
            > ack
        "#]],
    );
}

#[test]
fn rule_11_the_four_steps_of_the_specification() {
    check(
        "view cds.a=1 cds.b=1
         CDS
         ack
         CDS * a
         ack
         CDS a
         view cds.a=1 cds.b=2
         view cds.a=2 cds.b=2
         ack
         CDS
         view cds.a=3 cds.b=3",
        expect![[r#"
            > view cds.a=1 cds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > ack
              settled
            > CDS * a
              < CDS a=1 b=1 #2
            > ack
              settled
            > CDS a
            > view cds.a=1 cds.b=2
              settled
            > view cds.a=2 cds.b=2
              < CDS a=2 #3
            > ack
              settled
            > CDS
            > view cds.a=3 cds.b=3
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > ack
              settled
            > CDS * a
              < CDS a=1 #2
            > ack
              settled
            > CDS a
            > view cds.a=1 cds.b=2
              settled
            > view cds.a=2 cds.b=2
              < CDS a=2 #3
            > ack
              settled
            > CDS
            > view cds.a=3 cds.b=3
              settled
        "#]],
    );
}

#[test]
fn rule_11_no_names_are_everything_only_before_any_name() {
    check(
        "view cds.a=1 lds.in=1
         CDS a
         ack
         CDS
         view cds.a=2 lds.in=1",
        expect![[r#"
            > view cds.a=1 lds.in=1
            > CDS a
              < CDS a=1 #1
            > ack
              settled
            > CDS
            > view cds.a=2 lds.in=1
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 lds.in=1
            > CDS a
              < CDS a=1 #1
            > ack
              settled
            > CDS
            > view cds.a=2 lds.in=1
              settled
        "#]],
    );
}

#[test]
fn rule_11_no_names_are_nothing_for_the_other_types() {
    check(
        "view eds.a=1
         EDS
         EDS a
         ack
         EDS
         view eds.a=2",
        expect![[r#"
            > view eds.a=1
            > EDS
            > EDS a
              < EDS a=1 #1
            > ack
              settled
            > EDS
            > view eds.a=2
              settled
        "#]],
        expect![[r#"
            > view eds.a=1
            > EDS
            > EDS a
              < EDS a=1 #1
            > ack
              settled
            > EDS
            > view eds.a=2
              settled
        "#]],
    );
}

#[test]
fn rule_12_a_stale_nonce_is_ignored_with_its_names() {
    check_one(
        Variant::StateOfTheWorld,
        "view cds.a=1 eds.a=1 eds.b=1
         EDS a
         ack
         view cds.a=1 eds.a=2 eds.b=1
         EDS a b nonce 1
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 eds.b=1
            > EDS a
              < EDS a=1 #1
            > ack
              settled
            > view cds.a=1 eds.a=2 eds.b=1
              < EDS a=2 #2
            > EDS a b nonce 1
            > ack
              < EDS b=1 #3
        "#]],
    );
}

#[test]
fn rule_12_the_nonce_of_another_type_is_stale() {
    check_one(
        Variant::StateOfTheWorld,
        "view cds.a=1 eds.a=1
         CDS
         EDS a
         EDS b nonce 1
         EDS b nonce 17
         EDS b nonce x
         EDS b nonce 02
         view cds.a=1 eds.b=1",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > EDS b nonce 1
            > EDS b nonce 17
            > EDS b nonce x
            > EDS b nonce 02
            > view cds.a=1 eds.b=1
        "#]],
    );
}

#[test]
fn rule_13_whoever_comes_back_to_a_name_is_sent_it_again() {
    check(
        "view eds.a=1 eds.b=1
         EDS a b
         ack
         EDS b
         EDS a b
         ack",
        expect![[r#"
            > view eds.a=1 eds.b=1
            > EDS a b
              < EDS a=1 b=1 #1
            > ack
              settled
            > EDS b
            > EDS a b
              < EDS a=1 #2
            > ack
              settled
        "#]],
        expect![[r#"
            > view eds.a=1 eds.b=1
            > EDS a b
              < EDS a=1 b=1 #1
            > ack
              settled
            > EDS b
            > EDS a b
              < EDS a=1 #2
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_14_more_names_are_answered_and_fewer_are_not() {
    check(
        "view cds.a=1 cds.b=1 eds.a=1 eds.b=1
         CDS a
         EDS a
         ack
         CDS a b
         EDS a b
         ack
         CDS a
         EDS a",
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS a
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack
              settled
            > CDS a b
              < CDS a=1 b=1 #3
            > EDS a b
              < EDS b=1 #4
            > ack
              settled
            > CDS a
            > EDS a
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS a
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack
              settled
            > CDS a b
              < CDS b=1 #3
            > EDS a b
              < EDS b=1 #4
            > ack
              settled
            > CDS a
            > EDS a
        "#]],
    );
}

#[test]
fn rule_15_a_client_that_comes_back_is_told_what_it_names() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS have a=1
         EDS a have a=1
         LDS have in=1
         RDS r have r=1
         ack CDS
         ack EDS
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS have a=1
              < CDS a=1 #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > ack CDS
              waits until 3s
            > ack EDS
              < LDS in=1 #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS have a=1
              < CDS #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > ack CDS
              waits until 3s
            > ack EDS
              < LDS #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_16_a_second_subscription_is_answered() {
    check_one(
        Variant::Delta,
        "view cds.a=1 eds.a=1
         EDS +a
         ack
         EDS +a
         ack
         CDS +a
         CDS +a
         CDS +*
         CDS +*
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > EDS +a
              < EDS a=1 #1
            > ack
              settled
            > EDS +a
              < EDS a=1 #2
            > ack
              settled
            > CDS +a
              < CDS a=1 #3
              < EDS a=1 #4
            > CDS +a
              < CDS a=1 #5
            > CDS +*
              < CDS #6
            > CDS +*
              < CDS #7
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_17_a_stale_nonce_does_not_lose_a_subscription() {
    check_one(
        Variant::Delta,
        "view eds.a=1 eds.b=1 eds.c=1
         EDS +a
         EDS +b -a nonce 77
         EDS +c nonce 1
         ack
         view eds.a=2 eds.b=2 eds.c=2",
        expect![[r#"
            > view eds.a=1 eds.b=1 eds.c=1
            > EDS +a
              < EDS a=1 #1
            > EDS +b -a nonce 77
              < EDS b=1 #2
            > EDS +c nonce 1
              < EDS c=1 #3
            > ack
              settled
            > view eds.a=2 eds.b=2 eds.c=2
              < EDS b=2 c=2 #4
        "#]],
    );
}

#[test]
fn rule_18_unsubscribing_what_is_not_subscribed_is_nothing() {
    check_one(
        Variant::Delta,
        "view cds.a=1 eds.a=1
         EDS -b
         EDS +a
         EDS -b
         CDS
         CDS -b",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > EDS -b
            > EDS +a
              < EDS a=1 #1
            > EDS -b
            > CDS
              < CDS a=1 #2
            > CDS -b
        "#]],
    );
}

#[test]
fn rule_18_a_name_that_remains_part_of_everything_is_answered() {
    check_one(
        Variant::Delta,
        "view cds.a=1
         CDS
         CDS +a +b
         CDS -a -b
         ack",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > CDS +a +b
              < CDS a=1 -b #2
            > CDS -a -b
              < CDS a=1 -b #3
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_19_what_is_missing_is_said_to_be() {
    check_one(
        Variant::Delta,
        "view eds.a=1
         EDS +a +b
         RDS +r
         CDS +c
         ack
         view eds.a=1 eds.b=1 cds.c=1",
        expect![[r#"
            > view eds.a=1
            > EDS +a +b
              < EDS a=1 -b #1
            > RDS +r
              < RDS -r #2
            > CDS +c
              < CDS -c #3
            > ack
              settled
            > view eds.a=1 eds.b=1 cds.c=1
              < CDS c=1 #4
              < EDS b=1 #5
        "#]],
    );
}

#[test]
fn rule_20_a_client_that_comes_back_is_told_what_differs() {
    check_one(
        Variant::Delta,
        "view cds.a=1 cds.b=2 cds.c=1 lds.in=1
         CDS have a=1 b=1 z=9
         LDS have in=1 old=1
         ack CDS
         ack LDS
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=2 cds.c=1 lds.in=1
            > CDS have a=1 b=1 z=9
              < CDS b=2 c=1 #1
              waits until 3s
            > LDS have in=1 old=1
              waits until 3s
            > ack CDS
              < LDS -old #2
            > ack LDS
              < CDS -z #3
            > ack
              settled
        "#]],
    );
    check_one(
        Variant::Delta,
        "view lds.in=1
         LDS have in=1
         at 3s
         ack",
        expect![[r#"
            > view lds.in=1
            > LDS have in=1
              waits until 3s
            > at 3s
              < LDS #1
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_20_versions_count_only_on_a_first_request() {
    check_one(
        Variant::Delta,
        "view cds.a=1
         CDS
         CDS have a=1 z=1
         ack",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > CDS have a=1 z=1
            > ack
              settled
        "#]],
    );
}

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
