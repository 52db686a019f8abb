//! No spelling of a value slips past the rules that judge it, nor past the server that is asked.

use local::{Behaviour, Request};

use super::{Live, received};

#[tokio::test]
async fn a_value_is_judged_however_it_is_written() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            authorization default="allow" {
                rule "allow" path="/year" { query "year" exact="2026"; }
                rule "deny" path="/year"
                rule "deny" { header "x-role" regex="^guest$|^anon.*$"; }
                rule "deny" { query "admin" exact="yes"; }
                rule "deny" { query "path" prefix="/etc"; }
            }
        }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#,
    )
    .await;
    let none: &[&str] = &[];
    let table: &[(&str, &[&str], u16)] = &[
        ("/", &["user"], 200),
        ("/", &["guest"], 403),
        ("/", &["user, guest"], 403),
        ("/", &["guest,user"], 403),
        ("/", &["user,\tanonymous, x"], 403),
        ("/", &["guests"], 200),
        ("/?admin=yes", none, 403),
        ("/?admin=%79es", none, 403),
        ("/?%61dmin=yes", none, 403),
        ("/?adm%69n=no&b=c", none, 403),
        ("/?admin=no", none, 200),
        ("/?note=caf%C3%A9%20100%25&a%5B0%5D=%2F", none, 200),
        ("/?path=/etc/passwd", none, 403),
        ("/?path=%2Fetc", none, 403),
        ("/?path=%2fetc/passwd", none, 403),
        ("/?path=%2Fvar", none, 200),
        ("/year?year=2026", none, 200),
        ("/year?year=2026&ye%61r=1999", none, 403),
        ("/year?%79ear=1999&year=2026", none, 403),
    ];
    for (path, roles, status) in table {
        let mut request = Request::get(path).host("beta.svc");
        for role in *roles {
            request = request.header("x-role", role);
        }
        assert_eq!(live.send("alpha", request).await.status, *status, "{path} {roles:?}");
    }
}

#[tokio::test]
async fn what_a_server_would_say_cannot_be_said_by_the_caller() {
    let live = Live::up(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            external-auth service="guard.svc" {
                accept-header "x-user"
                header "x-internal" exact="yes" invert=#true
            }
        }
        service "guard.svc" { endpoint "10.0.0.2:3000" }
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        node "guard" serves="guard.svc"
        "#,
    )
    .await;
    let forged = || Request::get("/").host("beta.svc").header("x-user", "forged");
    live.workload("10.0.0.2:3000").behave(Behaviour::Reply { status: 200, headers: Vec::new(), body: "".into() });
    let asked = live.send("alpha", forged()).await;
    assert_eq!((asked.status, received(&asked, "x-user").len()), (200, 0));
    let unasked = live.send("alpha", forged().header("x-internal", "yes")).await;
    assert_eq!((unasked.status, received(&unasked, "x-user").len()), (200, 0));
}
