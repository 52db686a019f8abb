//! Rules for both variants: nonces, order, what is said and what is not.

use expect_test::expect;
use meshwright_control_plane::Variant;

use crate::script::{check, check_one};

#[test]
fn rule_02_every_type_has_its_own_nonce_and_version() {
    check(
        "view cds.a=1 eds.a=1
         CDS
         EDS a
         ack EDS
         ack CDS",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack EDS
            > ack CDS
              settled
        "#]],
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack EDS
            > ack CDS
              settled
        "#]],
    );
}

#[test]
fn rule_03_a_refusal_is_an_error_and_not_a_version() {
    check(
        "view cds.a=1
         CDS
         nack CDS no
         view cds.a=2",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > nack CDS no
              refused CDS: no
            > view cds.a=2
              < CDS a=2 #2
        "#]],
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > nack CDS no
              refused CDS: no
            > view cds.a=2
              < CDS a=2 #2
        "#]],
    );
}

#[test]
fn rule_04_an_acknowledgement_is_not_answered() {
    check(
        "view cds.a=1
         CDS
         ack
         view cds.a=1
         view cds.a=2
         ack",
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > ack
              settled
            > view cds.a=1
            > view cds.a=2
              < CDS a=2 #2
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1
            > CDS
              < CDS a=1 #1
            > ack
              settled
            > view cds.a=1
            > view cds.a=2
              < CDS a=2 #2
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_05_a_response_names_nothing_twice() {
    check(
        "view eds.a=1
         EDS a a
         view eds.a=2
         ack",
        expect![[r#"
            > view eds.a=1
            > EDS a a
              < EDS a=1 #1
            > view eds.a=2
            > ack
              < EDS a=2 #2
        "#]],
        expect![[r#"
            > view eds.a=1
            > EDS a a
              < EDS a=1 #1
            > view eds.a=2
            > ack
              < EDS a=2 #2
        "#]],
    );
    check_one(
        Variant::Delta,
        "view cds.a=1
         CDS +* +a
         ack",
        expect![[r#"
            > view cds.a=1
            > CDS +* +a
              < CDS a=1 #1
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_06_additions_then_routes_then_removals() {
    check(
        "view cds.old=1 eds.old=1 sds.key=1 lds.in=1>r ecds.x=1 rds.r=1
         CDS
         EDS old
         SDS key
         LDS
         ECDS x
         RDS r
         ack
         view cds.new=1 eds.new=1 sds.key=2 lds.in=2>r ecds.x=2 rds.r=2
         EDS old new
         ack SDS EDS
         ack CDS
         ack LDS ECDS RDS
         ack",
        expect![[r#"
            > view cds.old=1 eds.old=1 sds.key=1 lds.in=1>r ecds.x=1 rds.r=1
            > CDS
              < CDS old=1 #1
            > EDS old
              < EDS old=1 #2
            > SDS key
              < SDS key=1 #3
            > LDS
              < LDS in=1 #4
            > ECDS x
              < ECDS x=1 #5
            > RDS r
              < RDS r=1 #6
            > ack
              settled
            > view cds.new=1 eds.new=1 sds.key=2 lds.in=2>r ecds.x=2 rds.r=2
              < CDS new=1 old=1 #7
              < SDS key=2 #8
            > EDS old new
              < EDS new=1 #9
            > ack SDS EDS
            > ack CDS
              < LDS in=2 #10
              < ECDS x=2 #11
              < RDS r=2 #12
            > ack LDS ECDS RDS
              < CDS new=1 #13
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.old=1 eds.old=1 sds.key=1 lds.in=1>r ecds.x=1 rds.r=1
            > CDS
              < CDS old=1 #1
            > EDS old
              < EDS old=1 #2
            > SDS key
              < SDS key=1 #3
            > LDS
              < LDS in=1 #4
            > ECDS x
              < ECDS x=1 #5
            > RDS r
              < RDS r=1 #6
            > ack
              settled
            > view cds.new=1 eds.new=1 sds.key=2 lds.in=2>r ecds.x=2 rds.r=2
              < CDS new=1 #7
              < SDS key=2 #8
            > EDS old new
              < EDS new=1 #9
            > ack SDS EDS
            > ack CDS
              < LDS in=2 #10
              < ECDS x=2 #11
              < RDS r=2 #12
            > ack LDS ECDS RDS
              < CDS -old #13
              < EDS -old #14
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_07_endpoints_are_sent_again_with_a_changed_cluster() {
    check(
        "view cds.a=1 cds.b=1 eds.a=1 eds.b=1
         CDS
         EDS a b
         ack
         view cds.a=2 cds.b=1 eds.a=1 eds.b=1
         ack",
        expect![[r#"
            > view cds.a=1 cds.b=1 eds.a=1 eds.b=1
            > CDS
              < CDS a=1 b=1 #1
            > EDS a b
              < EDS a=1 b=1 #2
            > ack
              settled
            > view cds.a=2 cds.b=1 eds.a=1 eds.b=1
              < CDS a=2 b=1 #3
              < EDS a=1 #4
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
            > view cds.a=2 cds.b=1 eds.a=1 eds.b=1
              < CDS a=2 #3
              < EDS a=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_07_routes_are_sent_again_with_a_changed_listener() {
    check(
        "view lds.in=1>r lds.out=1>s rds.r=1 rds.s=1
         LDS
         RDS r s
         ack
         view lds.in=2>r lds.out=1>s rds.r=1 rds.s=1
         ack",
        expect![[r#"
            > view lds.in=1>r lds.out=1>s rds.r=1 rds.s=1
            > LDS
              < LDS in=1 out=1 #1
            > RDS r s
              < RDS r=1 s=1 #2
            > ack
              settled
            > view lds.in=2>r lds.out=1>s rds.r=1 rds.s=1
              < LDS in=2 out=1 #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
        expect![[r#"
            > view lds.in=1>r lds.out=1>s rds.r=1 rds.s=1
            > LDS
              < LDS in=1 out=1 #1
            > RDS r s
              < RDS r=1 s=1 #2
            > ack
              settled
            > view lds.in=2>r lds.out=1>s rds.r=1 rds.s=1
              < LDS in=2 #3
              < RDS r=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_08_what_does_not_exist_yet_is_sent_when_it_does() {
    check(
        "view cds.a=1
         EDS a
         CDS b
         ack
         view cds.a=1 cds.b=1 eds.a=1
         ack",
        expect![[r#"
            > view cds.a=1
            > EDS a
              settled
            > CDS b
            > ack
            > view cds.a=1 cds.b=1 eds.a=1
              < CDS b=1 #1
              < EDS a=1 #2
            > ack
              settled
        "#]],
        expect![[r#"
            > view cds.a=1
            > EDS a
              < EDS -a #1
            > CDS b
              < CDS -b #2
            > ack
              settled
            > view cds.a=1 cds.b=1 eds.a=1
              < CDS b=1 #3
              < EDS a=1 #4
            > ack
              settled
        "#]],
    );
}

#[test]
fn rule_09_an_unknown_type_keeps_the_stream() {
    check(
        "view cds.a=1
         envoy.service.runtime.v3.Runtime layer
         VHDS *
         CDS
         ack CDS",
        expect![[r#"
            > view cds.a=1
            > envoy.service.runtime.v3.Runtime layer
            > VHDS *
            > CDS
              < CDS a=1 #1
            > ack CDS
              settled
        "#]],
        expect![[r#"
            > view cds.a=1
            > envoy.service.runtime.v3.Runtime layer
              < type.googleapis.com/envoy.service.runtime.v3.Runtime -layer #1
            > VHDS *
            > CDS
              < CDS a=1 #2
            > ack CDS
              settled
        "#]],
    );
}
