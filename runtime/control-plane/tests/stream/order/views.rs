//! Views that come while another is told.

use expect_test::expect;

use crate::script::check;

#[test]
fn what_is_running_is_finished_before_the_newest_view_is_told() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.b=1 eds.b=1 lds.in=1>r rds.r=2
         view cds.c=1 eds.c=1 lds.in=1>r rds.r=3
         view cds.d=1 eds.d=1 lds.in=1>r rds.r=4
         EDS a b
         ack
         ack
         ack
         EDS b d
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
            > view cds.c=1 eds.c=1 lds.in=1>r rds.r=3
              waits until 5s
            > view cds.d=1 eds.d=1 lds.in=1>r rds.r=4
              waits until 5s
            > EDS a b
              < EDS b=1 #6
              waits until 5s
            > ack
              < RDS r=2 #7
            > ack
              < CDS b=1 #8
            > ack
              < CDS b=1 d=1 #9
            > EDS b d
              < EDS d=1 #10
            > ack
              < RDS r=4 #11
            > ack
              < CDS d=1 #12
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
            > view cds.c=1 eds.c=1 lds.in=1>r rds.r=3
              waits until 5s
            > view cds.d=1 eds.d=1 lds.in=1>r rds.r=4
              waits until 5s
            > EDS a b
              < EDS b=1 #6
              waits until 5s
            > ack
              < RDS r=2 #7
            > ack
              < CDS -a #8
              < EDS -a #9
            > ack
              < CDS d=1 #10
            > EDS b d
              < EDS d=1 #11
            > ack
              < RDS r=4 #12
            > ack
              < CDS -b #13
              < EDS -b #14
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_view_that_is_taken_back_while_another_is_told_is_told_after_it() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
         view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
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
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
              < RDS r=2 #5
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > ack
              < RDS r=1 #6
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
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
              < RDS r=2 #5
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > ack
              < RDS r=1 #6
            > ack
              settled
        "#]],
    );
}

#[test]
fn an_equal_view_is_not_told() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 eds.a=1 lds.in=1>r rds.r=1",
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
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
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
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
        "#]],
    );
}

#[test]
fn a_view_that_comes_before_the_first_answers_is_told_after_them() {
    check(
        "view cds.a=1 eds.a=1
         CDS
         view cds.b=1 eds.b=1
         EDS a
         ack EDS
         ack CDS
         EDS a b
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > view cds.b=1 eds.b=1
            > EDS a
              < EDS a=1 #2
            > ack EDS
            > ack CDS
              < CDS a=1 b=1 #3
            > EDS a b
              < EDS b=1 #4
            > ack
              < CDS b=1 #5
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > view cds.b=1 eds.b=1
            > EDS a
              < EDS a=1 #2
            > ack EDS
            > ack CDS
              < CDS b=1 #3
            > EDS a b
              < EDS b=1 #4
            > ack
              < CDS -a #5
              < EDS -a #6
            > ack
              settled
        "#]],
    );
}
