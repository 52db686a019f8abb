//! What takes too much away is held back.

use control_plane::guard::{Limits, objections};
use expect_test::{Expect, expect};
use meshwright_control_plane as control_plane;

use crate::world::views;

fn check(served: &str, next: &str, expected: Expect) {
    let reasons = objections(&views(served), &views(next), Limits::default());
    expected.assert_eq(&reasons.iter().map(|reason| format!("{reason}\n")).collect::<String>());
}

fn clusters(names: std::ops::Range<u32>) -> String {
    names.map(|name| format!("cluster c{name}\n")).collect()
}

#[test]
fn anything_may_be_the_first() {
    check("", "proxy a\ncluster x\nendpoints x 0", expect![""]);
}

#[test]
fn nothing_is_never_a_mesh() {
    check(
        "",
        "",
        expect![[r#"
        the mesh would have no proxy at all
    "#]],
    );
    check(
        "proxy a",
        "",
        expect![[r#"
        the mesh would have no proxy at all
    "#]],
    );
}

#[test]
fn a_service_that_loses_its_last_endpoint_while_it_is_called() {
    check(
        "proxy a\ncluster x\nendpoints x 1\nproxy b\ncluster x\nendpoints x 1\nproxy c",
        "proxy a\ncluster x\nendpoints x 0\nproxy b\ncluster x\nendpoints x 0\nproxy c",
        expect![[r#"
            `x` would lose its last endpoint while 2 proxies send requests there
        "#]],
    );
}

#[test]
fn a_service_that_leaves_the_mesh_with_all_its_endpoints_is_meant() {
    check("proxy a\ncluster x\nendpoints x 1\ncluster y", "proxy a\ncluster y", expect![""]);
}

#[test]
fn a_service_that_never_had_endpoints_may_stay_without() {
    check("proxy a\ncluster x\nendpoints x 0", "proxy a\ncluster x v2\nendpoints x 0", expect![""]);
}

#[test]
fn callers_that_are_told_none_of_a_service_that_has_some_hold_nothing() {
    check(
        "proxy a\nendpoints x 2\nproxy b\nendpoints x 2",
        "proxy a\nendpoints x 2\nproxy b\nendpoints x 0",
        expect![""],
    );
}

#[test]
fn a_large_share_of_endpoints() {
    check("proxy a\nendpoints x 10", "proxy a\nendpoints x 7", expect![""]);
    check(
        "proxy a\nendpoints x 10",
        "proxy a\nendpoints x 6",
        expect![[r#"
        4 of 10 endpoints would leave, more than 30 %
    "#]],
    );
}

#[test]
fn a_large_share_of_clusters() {
    check(&format!("proxy a\n{}", clusters(0..10)), &format!("proxy a\n{}", clusters(0..7)), expect![""]);
    check(
        &format!("proxy a\n{}", clusters(0..10)),
        &format!("proxy a\n{}", clusters(4..20)),
        expect![[r#"
        4 of 10 clusters would leave, more than 30 %
    "#]],
    );
}

#[test]
fn a_large_share_of_proxies() {
    check(
        "proxy a\nproxy b\nproxy c\nproxy d",
        "proxy a",
        expect![[r#"
        3 of 4 proxies would leave, more than 30 %
    "#]],
    );
}

#[test]
fn a_few_may_always_leave() {
    check("proxy a\ncluster x\nproxy b\nproxy c", "proxy c", expect![""]);
}
