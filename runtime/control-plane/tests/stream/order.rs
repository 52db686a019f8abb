//! In which order changes are told.

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
