//! What is told in spite of a refusal, and after it.

use expect_test::expect;

use crate::script::check;

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

/// They were told in time, and are still under way when the view comes that no longer has them.
#[test]
fn endpoints_that_are_refused_late_do_not_hold_the_newest_view_up() {
    check(
        "view cds.a=1 cds.c=1 eds.a=1 eds.c=1 lds.in=1>r rds.r=1
         CDS
         EDS a c
         LDS
         RDS r
         ack

         view cds.a=1 cds.c=2 eds.a=1 eds.c=1 lds.in=1>r rds.r=1
         view cds.a=1 cds.c=2 eds.a=1 eds.c=bad lds.in=1>r rds.r=1
         ack EDS
         at 1s
         view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
         nack CDS no
         nack EDS no
         ack
         ack
         ack
         ack",
        expect![[r#"
            > view cds.a=1 cds.c=1 eds.a=1 eds.c=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 c=1 #1
            > EDS a c
              < EDS a=1 c=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.c=2 eds.a=1 eds.c=1 lds.in=1>r rds.r=1
              < CDS a=1 c=2 #5
              < EDS c=1 #6
            > view cds.a=1 cds.c=2 eds.a=1 eds.c=bad lds.in=1>r rds.r=1
              waits until 5s
            > ack EDS
              waits until 1s
            > at 1s
              < EDS c=bad #7
              waits until 5s
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
              waits until 5s
            > nack CDS no
              < CDS a=1 c=1 #8
              refused CDS: no
            > nack EDS no
              < EDS c=1 #9
              refused EDS: no
            > ack
              < RDS r=2 #10
            > ack
              < CDS a=1 #11
            > ack
              settled
            > ack
        "#]],
        expect![[r#"
            > view cds.a=1 cds.c=1 eds.a=1 eds.c=1 lds.in=1>r rds.r=1
            > CDS
              < CDS a=1 c=1 #1
            > EDS a c
              < EDS a=1 c=1 #2
            > LDS
              < LDS in=1 #3
            > RDS r
              < RDS r=1 #4
            > ack
              settled
            > view cds.a=1 cds.c=2 eds.a=1 eds.c=1 lds.in=1>r rds.r=1
              < CDS c=2 #5
              < EDS c=1 #6
            > view cds.a=1 cds.c=2 eds.a=1 eds.c=bad lds.in=1>r rds.r=1
              waits until 5s
            > ack EDS
              waits until 1s
            > at 1s
              < EDS c=bad #7
              waits until 5s
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
              waits until 5s
            > nack CDS no
              < CDS c=1 #8
              refused CDS: no
            > nack EDS no
              < EDS c=1 #9
              refused EDS: no
            > ack
              < RDS r=2 #10
            > ack
              < CDS -c #11
              < EDS -c #12
            > ack
              settled
            > ack
        "#]],
    );
}

#[test]
fn what_a_stream_began_with_and_was_refused_late_does_not_hold_the_newest_view_up() {
    check(
        "view cds.bad=1 lds.in=1>r rds.r=1
         CDS
         view cds.a=1 lds.in=1>r rds.r=2
         nack CDS no
         nack CDS no
         ack
         ack",
        expect![[r#"
            > view cds.bad=1 lds.in=1>r rds.r=1
            > CDS
              < CDS bad=1 #1
            > view cds.a=1 lds.in=1>r rds.r=2
            > nack CDS no
              < CDS a=1 bad=1 #2
              refused CDS: no
            > nack CDS no
              < CDS a=1 #3
              refused CDS: no
            > ack
              settled
            > ack
        "#]],
        expect![[r#"
            > view cds.bad=1 lds.in=1>r rds.r=1
            > CDS
              < CDS bad=1 #1
            > view cds.a=1 lds.in=1>r rds.r=2
            > nack CDS no
              < CDS a=1 bad=1 #2
              refused CDS: no
            > nack CDS no
              < CDS a=1 -bad #3
              refused CDS: no
            > ack
              settled
            > ack
        "#]],
    );
}
