//! Rules of the delta variant.

use expect_test::expect;
use meshwright_control_plane::Variant;

use crate::script::check_one;

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
              settled
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
