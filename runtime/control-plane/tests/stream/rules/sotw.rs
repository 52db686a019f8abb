//! Rules of the state-of-the-world variant.

use expect_test::expect;
use meshwright_control_plane::Variant;

use crate::script::{check, check_one};

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
              settled
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
              settled
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
