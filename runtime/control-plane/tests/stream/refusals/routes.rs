//! What refusals mean for routes and the clusters they lead to.

use expect_test::expect;

use crate::script::check;

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
