//! What a refusal holds up, and what it does not.

use expect_test::expect;
use meshwright_control_plane::Variant;

use crate::script::{check, check_one};

#[test]
fn refused_clusters_hold_routes_back() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         nack CDS no
         EDS a b
         ack EDS
         view cds.a=1 cds.b=2 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS a=1 b=1 #5
            > nack CDS no
              refused CDS: no
            > EDS a b
              < EDS b=1 #6
            > ack EDS
            > view cds.a=1 cds.b=2 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS a=1 b=2 #7
              < EDS b=1 #8
            > ack
              < RDS r=2 #9
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS b=1 #5
            > nack CDS no
              refused CDS: no
            > EDS a b
              < EDS b=1 #6
            > ack EDS
            > view cds.a=1 cds.b=2 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS b=2 #7
              < EDS b=1 #8
            > ack
              < RDS r=2 #9
            > ack
              settled
        "#]],
    );
}

#[test]
fn what_was_refused_is_not_sent_again() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         nack CDS no
         at 60s
         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=3
         at 120s
         view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         ack
         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         at 180s",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS a=1 b=1 #5
            > nack CDS no
              refused CDS: no
            > at 60s
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=3
            > at 120s
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
              < CDS a=1 #6
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
            > at 180s
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS b=1 #5
            > nack CDS no
              refused CDS: no
            > at 60s
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=3
            > at 120s
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
              < CDS -b #6
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
            > at 180s
        "#]],
    );
}

#[test]
fn a_client_that_refuses_everything_is_told_everything_once() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         nack CDS no
         nack EDS no
         nack LDS no
         nack RDS no
         at 60s
         view cds.a=2 eds.a=1 lds.in=1>r rds.r=1
         nack CDS no
         at 120s",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > nack CDS no
              refused CDS: no
            > nack EDS no
              refused EDS: no
            > nack LDS no
              refused LDS: no
            > nack RDS no
              refused RDS: no
            > at 60s
            > view cds.a=2 eds.a=1 lds.in=1>r rds.r=1
              < CDS a=2 #5
            > nack CDS no
              refused CDS: no
            > at 120s
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > nack CDS no
              refused CDS: no
            > nack EDS no
              refused EDS: no
            > nack LDS no
              refused LDS: no
            > nack RDS no
              refused RDS: no
            > at 60s
            > view cds.a=2 eds.a=1 lds.in=1>r rds.r=1
              < CDS a=2 #5
            > nack CDS no
              refused CDS: no
            > at 120s
        "#]],
    );
}

#[test]
fn what_was_refused_and_never_became_part_of_a_route_is_left_out() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.bad=1 eds.a=1 lds.in=1>r rds.r=2
         nack CDS no
         view cds.a=1 cds.good=1 eds.a=1 eds.good=1 lds.in=1>r rds.r=3
         EDS a good
         ack
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.bad=1 eds.a=1 lds.in=1>r rds.r=2
              < CDS a=1 bad=1 #5
            > nack CDS no
              refused CDS: no
            > view cds.a=1 cds.good=1 eds.a=1 eds.good=1 lds.in=1>r rds.r=3
              < CDS a=1 good=1 #6
            > EDS a good
              < EDS good=1 #7
            > ack
              < RDS r=3 #8
            > ack
              settled
            > ack
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.bad=1 eds.a=1 lds.in=1>r rds.r=2
              < CDS bad=1 #5
            > nack CDS no
              refused CDS: no
            > view cds.a=1 cds.good=1 eds.a=1 eds.good=1 lds.in=1>r rds.r=3
              < CDS good=1 -bad #6
            > EDS a good
              < EDS good=1 #7
            > ack
              < RDS r=3 #8
            > ack
              settled
            > ack
        "#]],
    );
}

#[test]
fn refused_routes_keep_the_clusters_of_both_views() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
         EDS a b
         ack
         nack RDS no
         view cds.c=1 eds.c=1 lds.in=1>r rds.r=3
         EDS a b c
         ack
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS a=1 b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < RDS r=2 #7
            > nack RDS no
              refused RDS: no
            > view cds.c=1 eds.c=1 lds.in=1>r rds.r=3
              < CDS a=1 b=1 c=1 #8
            > EDS a b c
              < EDS c=1 #9
            > ack
              < RDS r=3 #10
            > ack
              < CDS c=1 #11
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < RDS r=2 #7
            > nack RDS no
              refused RDS: no
            > view cds.c=1 eds.c=1 lds.in=1>r rds.r=3
              < CDS c=1 #8
            > EDS a b c
              < EDS c=1 #9
            > ack
              < RDS r=3 #10
            > ack
              < CDS -a -b #11
              < EDS -a -b #12
            > ack
              settled
        "#]],
    );
}

#[test]
fn endpoints_are_told_to_a_client_that_refused_clusters() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         nack CDS no
         view cds.a=1 cds.b=1 eds.a=2 eds.b=1 lds.in=1>r rds.r=2
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS a=1 b=1 #5
            > nack CDS no
              refused CDS: no
            > view cds.a=1 cds.b=1 eds.a=2 eds.b=1 lds.in=1>r rds.r=2
              < EDS a=2 #6
            > ack
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS b=1 #5
            > nack CDS no
              refused CDS: no
            > view cds.a=1 cds.b=1 eds.a=2 eds.b=1 lds.in=1>r rds.r=2
              < EDS a=2 #6
            > ack
        "#]],
    );
}

#[test]
fn a_view_that_waited_is_told_after_a_refusal() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.bad=1 eds.a=1 lds.in=1>r rds.r=2
         view cds.a=1 eds.a=1 lds.in=1>r rds.r=3
         nack CDS no
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.bad=1 eds.a=1 lds.in=1>r rds.r=2
              < CDS a=1 bad=1 #5
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=3
              waits until 5s
            > nack CDS no
              < CDS a=1 #6
              refused CDS: no
            > ack
              < RDS r=3 #7
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.bad=1 eds.a=1 lds.in=1>r rds.r=2
              < CDS bad=1 #5
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=3
              waits until 5s
            > nack CDS no
              < CDS -bad #6
              refused CDS: no
            > ack
              < RDS r=3 #7
            > ack
              settled
        "#]],
    );
}

#[test]
fn names_are_answered_after_a_refusal() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         nack CDS no
         EDS a b
         RDS r q
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS a=1 b=1 #5
            > nack CDS no
              refused CDS: no
            > EDS a b
              < EDS b=1 #6
            > RDS r q
            > ack
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
              < CDS b=1 #5
            > nack CDS no
              refused CDS: no
            > EDS a b
              < EDS b=1 #6
            > RDS r q
              < RDS -q #7
            > ack
        "#]],
    );
}

#[test]
fn a_refusal_counts_once() {
    check_one(
        Variant::StateOfTheWorld,
        "view cds.a=1
         CDS
         nack CDS no
         CDS nonce 1",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > nack CDS no
              refused CDS: no
            > CDS nonce 1
        "#]],
    );
}

#[test]
fn refusing_an_answer_holds_up_the_next_view_only_if_it_has_the_same() {
    check(
        "view cds.a=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=1
         CDS
         EDS a b
         LDS
         RDS r
         ack CDS LDS RDS
         nack EDS no
         view cds.a=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         view cds.a=1 eds.a=1 eds.b=2 lds.in=1>r rds.r=2
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack CDS LDS RDS
            > nack EDS no
              refused EDS: no
            > view cds.a=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
            > view cds.a=1 eds.a=1 eds.b=2 lds.in=1>r rds.r=2
              < EDS a=1 b=2 #5
            > ack
              < RDS r=2 #6
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack CDS LDS RDS
            > nack EDS no
              refused EDS: no
            > view cds.a=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
            > view cds.a=1 eds.a=1 eds.b=2 lds.in=1>r rds.r=2
              < EDS a=1 b=2 #5
            > ack
              < RDS r=2 #6
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_client_that_takes_its_refusal_back_is_free_again() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 eds.a=2 lds.in=1>r rds.r=2
         nack EDS no
         EDS b
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 eds.a=2 lds.in=1>r rds.r=2
              < EDS a=2 #5
            > nack EDS no
              refused EDS: no
            > EDS b
              < RDS r=2 #6
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 eds.a=2 lds.in=1>r rds.r=2
              < EDS a=2 #5
            > nack EDS no
              refused EDS: no
            > EDS b
              < EDS -b #6
            > ack
              < RDS r=2 #7
        "#]],
    );
}
