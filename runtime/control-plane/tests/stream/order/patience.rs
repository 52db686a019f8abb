//! How long a step waits for a client.

use expect_test::expect;

use crate::script::check;

#[test]
fn clusters_stay_until_the_client_asked_for_the_routes_of_a_new_listener() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.b=1 eds.b=1 lds.in=2>s rds.s=1
         EDS a b
         ack
         ack LDS
         RDS r s
         ack RDS
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
            > view cds.b=1 eds.b=1 lds.in=2>s rds.s=1
              < CDS a=1 b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < LDS in=2 #7
            > ack LDS
              waits until 2s
            > RDS r s
              < RDS s=1 #8
            > ack RDS
              < CDS b=1 #9
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
            > view cds.b=1 eds.b=1 lds.in=2>s rds.s=1
              < CDS b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < LDS in=2 #7
            > ack LDS
              waits until 2s
            > RDS r s
              < RDS s=1 #8
            > ack RDS
              < CDS -a #9
              < EDS -a #10
            > ack
              settled
        "#]],
    );
}

#[test]
fn whoever_never_asks_for_the_routes_of_a_new_listener_is_not_waited_for_long() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.b=1 eds.b=1 lds.in=2>s rds.s=1
         EDS a b
         ack
         ack LDS
         at 1s
         at 2s
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
            > view cds.b=1 eds.b=1 lds.in=2>s rds.s=1
              < CDS a=1 b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < LDS in=2 #7
            > ack LDS
              waits until 2s
            > at 1s
              waits until 2s
            > at 2s
              < CDS b=1 #8
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
            > view cds.b=1 eds.b=1 lds.in=2>s rds.s=1
              < CDS b=1 #5
            > EDS a b
              < EDS b=1 #6
            > ack
              < LDS in=2 #7
            > ack LDS
              waits until 2s
            > at 1s
              waits until 2s
            > at 2s
              < CDS -a #8
              < EDS -a #9
            > ack
              settled
        "#]],
    );
}

#[test]
fn endpoints_do_not_wait_for_a_cluster_that_does_not_get_warm() {
    check(
        "view cds.a=1 eds.a=1 lds.in=1>r rds.r=1
         CDS
         EDS a
         LDS
         RDS r
         ack

         view cds.a=1 cds.slow=1 eds.a=1 lds.in=1>r rds.r=2
         at 500ms
         view cds.a=1 cds.slow=1 eds.a=2 lds.in=1>r rds.r=2
         at 1s
         ack EDS
         view cds.a=1 cds.slow=1 eds.a=3 lds.in=1>r rds.r=2
         view cds.a=1 cds.slow=1 eds.a=4 lds.in=1>r rds.r=3
         at 2s
         ack EDS
         ack CDS
         ack RDS
         ack RDS",
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
            > view cds.a=1 cds.slow=1 eds.a=1 lds.in=1>r rds.r=2
              < CDS a=1 slow=1 #5
            > at 500ms
            > view cds.a=1 cds.slow=1 eds.a=2 lds.in=1>r rds.r=2
              waits until 1s
            > at 1s
              < EDS a=2 #6
              waits until 5s
            > ack EDS
              waits until 5s
            > view cds.a=1 cds.slow=1 eds.a=3 lds.in=1>r rds.r=2
              waits until 2s
            > view cds.a=1 cds.slow=1 eds.a=4 lds.in=1>r rds.r=3
              waits until 2s
            > at 2s
              < EDS a=4 #7
              waits until 5s
            > ack EDS
              waits until 5s
            > ack CDS
              < RDS r=2 #8
            > ack RDS
              < RDS r=3 #9
            > ack RDS
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
            > view cds.a=1 cds.slow=1 eds.a=1 lds.in=1>r rds.r=2
              < CDS slow=1 #5
            > at 500ms
            > view cds.a=1 cds.slow=1 eds.a=2 lds.in=1>r rds.r=2
              waits until 1s
            > at 1s
              < EDS a=2 #6
              waits until 5s
            > ack EDS
              waits until 5s
            > view cds.a=1 cds.slow=1 eds.a=3 lds.in=1>r rds.r=2
              waits until 2s
            > view cds.a=1 cds.slow=1 eds.a=4 lds.in=1>r rds.r=3
              waits until 2s
            > at 2s
              < EDS a=4 #7
              waits until 5s
            > ack EDS
              waits until 5s
            > ack CDS
              < RDS r=2 #8
            > ack RDS
              < RDS r=3 #9
            > ack RDS
              settled
        "#]],
    );
}
