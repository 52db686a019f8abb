//! What is served: pure functions of what the mesh says, what was served before, and time.

use std::sync::Arc;
use std::time::Duration;

use compiler::snapshot::ResourceKind;
use control_plane::Published;
use control_plane::published::{Changes, State, changes};
use expect_test::{Expect, expect};
use meshwright_control_plane as control_plane;
use prost::Message as _;

use crate::world::{told, views};

const GRACE: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn published(text: &str) -> Published {
    Published::with_views(views(text))
}

fn check(published: &Published, expected: Expect) {
    expected.assert_eq(&told(published));
}

#[test]
fn clusters_endpoints_and_secrets_that_left_are_served_for_the_grace() {
    let before = published("proxy a\ncluster x\nendpoints x 1\nsecret s\nlistener l\nroutes r\ncluster stays");
    let after = before.followed_by(views("proxy a\ncluster stays"), at(0), GRACE);
    check(
        &after,
        expect![[r#"
            a: cds/stays cds/x eds/x sds/s
        "#]],
    );
    assert_eq!(after.next_expiry(), Some(GRACE));
    assert!(after.expired(at(29)).is_none());
    check(
        &after.expired(at(30)).unwrap(),
        expect![[r#"
            a: cds/stays
        "#]],
    );
}

#[test]
fn what_comes_back_has_no_tombstone_and_its_new_content() {
    let before = published("proxy a\ncluster x old\ncluster y");
    let without = before.followed_by(views("proxy a\ncluster y"), at(0), GRACE);
    let again = without.followed_by(views("proxy a\ncluster x new\ncluster y"), at(1), GRACE);
    assert!(again.tombstones().is_empty());
    let view = again.view("a").unwrap().of(ResourceKind::Cluster);
    assert_eq!(&view.get("x").unwrap().bytes[..], b"new");
}

#[test]
fn a_second_change_does_not_prolong_the_grace_of_the_first() {
    let first = published("proxy a\ncluster x\ncluster y\ncluster z");
    let second = first.followed_by(views("proxy a\ncluster y\ncluster z"), at(0), GRACE);
    let third = second.followed_by(views("proxy a\ncluster z"), at(20), GRACE);
    check(
        &third.expired(at(30)).unwrap(),
        expect![[r#"
            a: cds/y cds/z
        "#]],
    );
    check(
        &third.expired(at(50)).unwrap(),
        expect![[r#"
            a: cds/z
        "#]],
    );
}

#[test]
fn a_proxy_that_left_keeps_all_it_was_told_for_the_grace() {
    let before = published("proxy a\ncluster x\nlistener l\nroutes r\nproxy b\ncluster x");
    let after = before.followed_by(views("proxy b\ncluster x"), at(0), GRACE);
    check(
        &after,
        expect![[r#"
            a: cds/x lds/l rds/r
            b: cds/x
        "#]],
    );
    check(
        &after.expired(GRACE).unwrap(),
        expect![[r#"
            b: cds/x
        "#]],
    );
}

#[test]
fn without_a_grace_everything_goes_at_once() {
    let before = published("proxy a\ncluster x\ncluster y");
    let after = before.followed_by(views("proxy a\ncluster y"), at(0), Duration::ZERO);
    assert!(after.tombstones().is_empty());
}

#[test]
fn the_digest_is_of_the_mesh_alone() {
    let before = published("proxy a\ncluster x\ncluster y");
    let after = before.followed_by(views("proxy a\ncluster y"), at(0), GRACE);
    let fresh = published("proxy a\ncluster y");
    assert_eq!(after.digest, fresh.digest);
    assert_ne!(after, fresh);
    assert_eq!(after.expired(GRACE).unwrap(), fresh);
    assert_ne!(before.digest, fresh.digest);
}

#[test]
fn what_did_not_change_is_the_same_memory() {
    let before = State::of_published(&published("proxy a\ncluster x\nroutes r one\nproxy b\ncluster x\nroutes r one"));
    let before = Published::default().followed_by(before.views(&Published::default()), at(0), GRACE);
    let state = State::of_published(&published("proxy a\ncluster x\nroutes r two\nproxy b\ncluster x\nroutes r one"));
    let after = before.followed_by(state.views(&before), at(0), GRACE);
    assert!(Arc::ptr_eq(before.view("b").unwrap(), after.view("b").unwrap()));
    let clusters = |published: &Published| published.view("a").unwrap().of(ResourceKind::Cluster);
    assert!(Arc::ptr_eq(&clusters(&before), &clusters(&after)));
    let without = State::of_published(&published("proxy a\ncluster x\nroutes r one"));
    let expired = before.followed_by(without.views(&before), at(0), GRACE).expired(GRACE).unwrap();
    assert!(Arc::ptr_eq(&clusters(&before), &clusters(&expired)));
}

#[test]
fn proxies_that_are_told_the_same_share_it_also_with_tombstones() {
    let before = State::of_published(&published("proxy a\ncluster x\ncluster y\nproxy b\ncluster x\ncluster y"));
    let before = Published::default().followed_by(before.views(&Published::default()), at(0), GRACE);
    assert!(Arc::ptr_eq(before.view("a").unwrap(), before.view("b").unwrap()));
    let after = State::of_published(&published("proxy a\ncluster y\nproxy b\ncluster y"));
    let after = before.followed_by(after.views(&before), at(0), GRACE);
    // Nothing left, so to say: the same clusters as before are served.
    assert!(Arc::ptr_eq(before.view("a").unwrap(), after.view("a").unwrap()));
    assert!(Arc::ptr_eq(after.view("a").unwrap(), after.view("b").unwrap()));
}

#[test]
fn a_state_is_the_same_after_it_was_bytes_and_its_tombstones_begin_anew() {
    let before = published("proxy a\ncluster x\nendpoints x 2\nroutes r\nproxy b\ncluster x\ncluster y");
    let after = before.followed_by(views("proxy a\nroutes r\nproxy b\ncluster y"), at(0), GRACE);
    let bytes = State::of_published(&after).encode_to_vec();
    assert_eq!(bytes, State::of_published(&after).encode_to_vec());
    let state = State::decode(&bytes[..]).unwrap();
    let restored = state.restored(at(1000), GRACE);
    assert_eq!(restored, after);
    assert_eq!(restored.next_expiry(), Some(at(1030)));
    assert_eq!(told(&restored.expired(at(1030)).unwrap()), told(&after.expired(GRACE).unwrap()));
}

#[test]
fn clocks_that_jump_let_nothing_go_early() {
    let before = published("proxy a\ncluster x\ncluster y");
    let after = before.followed_by(views("proxy a\ncluster y"), at(7200), GRACE);
    // An hour back: a moment of the past ends nothing. An hour on: a grace that is over ends.
    assert!(after.expired(at(3600)).is_none());
    assert!(after.expired(at(7229)).is_none());
    assert!(after.expired(at(10_800)).is_some());
}

#[test]
fn changes_are_counted_in_words() {
    let say = |before: &str, after: &str| changes(&published(before), &published(after)).to_string();
    expect!["1 cluster added, 1 changed, 2 removed, 1 route table changed for 2 proxies"].assert_eq(&say(
        "proxy a\ncluster c one\ncluster d\ncluster e\nproxy b\nroutes r one",
        "proxy a\ncluster c two\ncluster f\nproxy b\nroutes r two",
    ));
    expect!["1 cluster changed for 2 proxies"].assert_eq(&say(
        "proxy a\ncluster c one\nproxy b\ncluster c one",
        "proxy a\ncluster c two\nproxy b\ncluster c two",
    ));
    expect!["nothing changed"].assert_eq(&say("proxy a\ncluster c", "proxy a\ncluster c"));
    assert_eq!(changes(&published("proxy a"), &published("proxy a")), Changes::default());
}

#[test]
fn nothing_of_a_resource_is_printed() {
    let secret = published("proxy a\nsecret s hunter2");
    let state = State::of_published(&secret);
    let printed = format!("{secret:?} {state:?}");
    assert!(!printed.contains("hunter2") && !printed.contains(&format!("{:?}", b"hunter2")), "{printed}");
}
