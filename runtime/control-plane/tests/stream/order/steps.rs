//! The steps of one change.

use expect_test::expect;

use crate::script::check;

#[test]
fn endpoints_do_not_wait_for_clusters_nor_clusters_for_endpoints() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=2 cds.b=1 eds.a=2 eds.b=1 lds.in=1>r rds.r=1
         EDS a b
         ack EDS
         ack EDS
         ack CDS",
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
            > view cds.a=2 cds.b=1 eds.a=2 eds.b=1 lds.in=1>r rds.r=1
              < CDS a=2 b=1 #5
              < EDS a=2 #6
            > EDS a b
              < EDS b=1 #7
            > ack EDS
            > ack EDS
            > ack CDS
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
            > view cds.a=2 cds.b=1 eds.a=2 eds.b=1 lds.in=1>r rds.r=1
              < CDS a=2 b=1 #5
              < EDS a=2 #6
            > EDS a b
              < EDS b=1 #7
            > ack EDS
            > ack EDS
            > ack CDS
              settled
        "#]],
    );
}

#[test]
fn routes_wait_until_clusters_and_endpoints_are_acknowledged() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.b=1 eds.a=1 eds.b=1 lds.in=1>r rds.r=2
         EDS a b
         ack CDS
         ack EDS
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
            > EDS a b
              < EDS b=1 #6
            > ack CDS
            > ack EDS
              < RDS r=2 #7
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
            > EDS a b
              < EDS b=1 #6
            > ack CDS
            > ack EDS
              < RDS r=2 #7
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_change_of_endpoints_alone_is_one_response() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 eds.a=2 lds.in=1>r rds.r=1
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
            > view cds.a=1 eds.a=2 lds.in=1>r rds.r=1
              < EDS a=2 #5
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
            > view cds.a=1 eds.a=2 lds.in=1>r rds.r=1
              < EDS a=2 #5
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_change_of_routes_alone_is_one_response() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 eds.a=1 lds.in=1>r rds.r=2
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
            > ack
              settled
        "#]],
    );
}

#[test]
fn types_that_nobody_asked_for_hold_nothing_up() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         LDS
         ack
         view cds.b=1 eds.b=1 lds.in=2 rds.r=2
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > LDS
              < LDS in=1 #1
            > ack
              settled
            > view cds.b=1 eds.b=1 lds.in=2 rds.r=2
              < LDS in=2 #2
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
            > LDS
              < LDS in=1 #1
            > ack
              settled
            > view cds.b=1 eds.b=1 lds.in=2 rds.r=2
              < LDS in=2 #2
            > ack
              settled
        "#]],
    );
}

#[test]
fn a_client_that_asks_by_name_is_led_from_one_cluster_to_the_other() {
    check(
        "view lds.x=1>r rds.r=1 cds.a=1 eds.a=1
         LDS x
         RDS r
         CDS a
         EDS a
         ack
         view lds.x=1>r rds.r=2 cds.b=1 eds.b=1
         ack RDS
         CDS a b
         EDS a b
         ack
         CDS b
         EDS b
         ack",
        expect![[r#"
            > view lds.x=1>r rds.r=1 cds.a=1 eds.a=1
            > LDS x
              < LDS x=1 #1
            > RDS r
              < RDS r=1 #2
            > CDS a
              < CDS a=1 #3
            > EDS a
              < EDS a=1 #4
            > ack
              settled
            > view lds.x=1>r rds.r=2 cds.b=1 eds.b=1
              < RDS r=2 #5
            > ack RDS
              waits until 2s
            > CDS a b
              < CDS a=1 b=1 #6
            > EDS a b
              < EDS b=1 #7
            > ack
              waits until 2s
            > CDS b
              settled
            > EDS b
            > ack
        "#]],
        expect![[r#"
            > view lds.x=1>r rds.r=1 cds.a=1 eds.a=1
            > LDS x
              < LDS x=1 #1
            > RDS r
              < RDS r=1 #2
            > CDS a
              < CDS a=1 #3
            > EDS a
              < EDS a=1 #4
            > ack
              settled
            > view lds.x=1>r rds.r=2 cds.b=1 eds.b=1
              < RDS r=2 #5
            > ack RDS
              waits until 2s
            > CDS a b
              < CDS b=1 #6
            > EDS a b
              < EDS b=1 #7
            > ack
              waits until 2s
            > CDS b
              < EDS -a #8
            > EDS b
            > ack
              settled
        "#]],
    );
}
