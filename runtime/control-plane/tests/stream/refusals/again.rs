//! What was refused, and is not said again.

use expect_test::expect;
use meshwright_control_plane::Variant;

use crate::script::{Conversation, check, check_one};

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

/// Input A: the acknowledgement of a part. Input B: the refused state comes once more, after another was settled.
#[test]
fn the_reason_is_shown_for_as_long_as_it_holds_something_up() {
    for script in [
        "view eds.a=1
         EDS a
         ack
         view eds.a=2 eds.b=1
         nack EDS no
         EDS a b
         ack",
        "view cds.a=1
         CDS
         ack
         view cds.a=2
         nack CDS no
         view cds.a=1
         ack
         view cds.a=2",
    ] {
        for variant in [Variant::StateOfTheWorld, Variant::Delta] {
            let mut conversation = Conversation::new(variant);
            script.lines().map(str::trim).for_each(|line| conversation.line(line));
            let reasons: Vec<_> =
                conversation.status().into_iter().filter_map(|of| of.refused).map(|(_, reason)| reason).collect();
            assert_eq!(reasons, ["no"], "{variant:?}:\n{}", conversation.text);
            assert!(conversation.is_refusing());
            conversation.line(if script.contains("CDS") { "view cds.a=3" } else { "view eds.a=3 eds.b=1" });
            conversation.line("ack");
            assert!(conversation.status().iter().all(|of| of.refused.is_none()), "{}", conversation.text);
            assert!(!conversation.is_refusing());
        }
    }
}

/// The second response is under way when the first is refused, and says all that the first did.
#[test]
fn who_accepts_a_complete_set_after_a_refusal_is_not_told_it_again() {
    check_one(
        Variant::StateOfTheWorld,
        "view cds.a=1 eds.a=1
         CDS
         EDS a
         ack
         view cds.a=2 cds.c=bad eds.a=1 eds.c=bad
         EDS a c
         nack EDS no
         nack EDS no
         view cds.a=2 cds.c=1 eds.a=1 eds.c=1
         nack CDS no
         ack
         ack",
        expect![[r#"
            > view cds.a=1 eds.a=1
            > CDS
              < CDS a=1 #1
            > EDS a
              < EDS a=1 #2
            > ack
              settled
            > view cds.a=2 cds.c=bad eds.a=1 eds.c=bad
              < CDS a=2 c=bad #3
              < EDS a=1 #4
            > EDS a c
              < EDS c=bad #5
            > nack EDS no
            > nack EDS no
              refused EDS: no
            > view cds.a=2 cds.c=1 eds.a=1 eds.c=1
              < CDS a=2 c=1 #6
              < EDS c=1 #7
            > nack CDS no
              refused CDS: no
            > ack
              settled
            > ack
        "#]],
    );
}
