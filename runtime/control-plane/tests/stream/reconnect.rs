//! What a client is told that comes back.

use expect_test::expect;
use meshwright_control_plane::Variant;

use crate::script::{check, check_one};

#[test]
fn routes_wait_until_clusters_and_endpoints_are_acknowledged() {
    check(
        "view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=2>r rds.r=2
         CDS have a=1
         EDS a have a=1
         LDS have in=1
         RDS r have r=1
         ack EDS
         EDS a b
         ack EDS
         ack CDS
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=2>r rds.r=2
            > CDS have a=1
              < CDS a=1 b=1 #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > ack EDS
              waits until 3s
            > EDS a b
              < EDS b=1 #3
              waits until 3s
            > ack EDS
              waits until 3s
            > ack CDS
              < LDS in=2 #4
              < RDS r=2 #5
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=2>r rds.r=2
            > CDS have a=1
              < CDS b=1 #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > ack EDS
              waits until 3s
            > EDS a b
              < EDS b=1 #3
              waits until 3s
            > ack EDS
              waits until 3s
            > ack CDS
              < LDS in=2 #4
              < RDS r=2 #5
            > ack
              settled
        "#]],
    );
}

#[test]
fn routes_wait_three_seconds_and_no_longer() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS have a=1
         EDS a have a=1
         LDS have in=1
         RDS r have r=1
         at 2999ms
         at 3s
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
            > at 2999ms
              waits until 3s
            > at 3s
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
            > at 2999ms
              waits until 3s
            > at 3s
              < LDS #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn routes_stay_back_from_whoever_refuses_clusters() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS have a=9
         EDS a have a=1
         LDS have in=1
         ack EDS
         nack CDS no
         at 3s
         at 60s
         view cds.a=2 eds.a=1 lds.in=1>r rds.r=1
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS have a=9
              < CDS a=1 #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > ack EDS
              waits until 3s
            > nack CDS no
              refused CDS: no
            > at 3s
            > at 60s
            > view cds.a=2 eds.a=1 lds.in=1>r rds.r=1
              < CDS a=2 #3
              < EDS a=1 #4
              waits until 63s
            > ack
              waits until 63s
              < LDS in=1 #5
            > ack
              waits until 62s
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS have a=9
              < CDS a=1 #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > ack EDS
              waits until 3s
            > nack CDS no
              refused CDS: no
            > at 3s
            > at 60s
            > view cds.a=2 eds.a=1 lds.in=1>r rds.r=1
              < CDS a=2 #3
              < EDS a=1 #4
              waits until 63s
            > ack
              waits until 63s
              < LDS #5
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_client_that_asks_by_name_never_waits() {
    check(
        "view lds.x=1>r rds.r=1 cds.a=1 eds.a=1
         LDS x have x=1
         RDS r have r=1
         CDS a have a=1
         EDS a have a=1
         ack",
        expect![[r#"
            > view lds.x=1>r rds.r=1 cds.a=1 eds.a=1
            > LDS x have x=1
              < LDS x=1 #1
            > RDS r have r=1
              < RDS r=1 #2
            > CDS a have a=1
              < CDS a=1 #3
            > EDS a have a=1
              < EDS a=1 #4
            > ack
              settled
        "#]],
        expect![[r#"
            > view lds.x=1>r rds.r=1 cds.a=1 eds.a=1
            > LDS x have x=1
              < LDS x=1 #1
            > RDS r have r=1
              < RDS r=1 #2
            > CDS a have a=1
              < CDS a=1 #3
            > EDS a have a=1
              < EDS a=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_listener_that_is_named_opens_the_gate() {
    check(
        "view lds.x=1>r rds.r=1 cds.a=1
         CDS have a=1
         RDS r have r=1
         LDS x have x=1
         ack",
        expect![[r#"
            > view lds.x=1>r rds.r=1 cds.a=1
            > CDS have a=1
              < CDS a=1 #1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > LDS x have x=1
              < LDS x=1 #2
              < RDS r=1 #3
            > ack
              settled
        "#]],
        expect![[r#"
            > view lds.x=1>r rds.r=1 cds.a=1
            > CDS have a=1
              < CDS #1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > LDS x have x=1
              < LDS x=1 #2
              < RDS r=1 #3
            > ack
              settled
        "#]],
    );
}

#[test]
fn what_we_do_not_know_is_removed_last() {
    check_one(
        Variant::Delta,
        "view cds.a=1 eds.a=1 lds.in=2>r rds.r=2
         CDS have a=1 old=1
         EDS a old have a=1 old=1
         LDS have in=1 gone=1
         RDS r q have r=1 q=1
         ack CDS EDS
         ack LDS RDS
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=2>r rds.r=2
            > CDS have a=1 old=1
              < CDS #1
              waits until 3s
            > EDS a old have a=1 old=1
              < EDS a=1 #2
              waits until 3s
            > LDS have in=1 gone=1
              waits until 3s
            > RDS r q have r=1 q=1
              waits until 3s
            > ack CDS EDS
              waits until 3s
              < LDS in=2 -gone #3
              < RDS r=2 #4
            > ack LDS RDS
              < CDS -old #5
              < EDS -old #6
            > ack
              settled
        "#]],
    );
}

#[test]
fn what_a_draining_listener_uses_is_not_taken_from_it() {
    check_one(
        Variant::Delta,
        "view cds.a=1 lds.in=1>r rds.r=1
         CDS have a=1
         LDS have in=1
         RDS r gone new have r=1 gone=1
         ECDS gone new have gone=1
         SDS gone new have gone=1
         ack
         ack",
        expect![[r#"
            > view cds.a=1 lds.in=1>r rds.r=1
            > CDS have a=1
              < CDS #1
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r gone new have r=1 gone=1
              waits until 3s
            > ECDS gone new have gone=1
              waits until 3s
            > SDS gone new have gone=1
              < SDS -new #2
              waits until 3s
            > ack
              waits until 3s
              < LDS #3
              < ECDS -new #4
              < RDS r=1 -new #5
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_new_view_waits_for_the_client_that_comes_back() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS have a=1
         EDS a have a=1
         view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
         LDS have in=1
         RDS r have r=1
         ack
         ack
         EDS a b
         ack
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS have a=1
              < CDS a=1 #1
              waits until 3s
            > EDS a have a=1
              < EDS a=1 #2
              waits until 3s
            > view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > ack
              waits until 3s
              < LDS in=1 #3
              < RDS r=1 #4
            > ack
              < CDS a=1 b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < RDS r=2 #7
            > ack
              < CDS b=1 #8
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
            > view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r have r=1
              waits until 3s
            > ack
              waits until 3s
              < LDS #3
              < RDS r=1 #4
            > ack
              < CDS b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < RDS r=2 #7
            > ack
              < CDS -a #8
              < EDS -a #9
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_fresh_client_never_waits() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         LDS
         EDS a
         RDS r
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > LDS
              < LDS in=1 #2
            > EDS a
              < EDS a=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > LDS
              < LDS in=1 #2
            > EDS a
              < EDS a=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn names_given_up_while_held_back_are_not_answered() {
    check(
        "view cds.a=1 lds.in=1>r rds.r=1 rds.s=1
         CDS have a=1
         LDS have in=1
         RDS r s have r=1
         RDS r
         ack
         ack",
        expect![[r#"
            > view cds.a=1 lds.in=1>r rds.r=1 rds.s=1
            > CDS have a=1
              < CDS a=1 #1
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r s have r=1
              waits until 3s
            > RDS r
              waits until 3s
            > ack
              < LDS in=1 #2
              < RDS r=1 #3
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 lds.in=1>r rds.r=1 rds.s=1
            > CDS have a=1
              < CDS #1
              waits until 3s
            > LDS have in=1
              waits until 3s
            > RDS r s have r=1
              waits until 3s
            > RDS r
              waits until 3s
            > ack
              < LDS #2
              < RDS r=1 #3
            > ack
              settled
        "#]],
    );
}
