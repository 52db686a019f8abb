//! No spelling of a request slips past what guards a service, at its sidecar or at a gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use local::Behaviour;
use world::wire;

use super::tokens::{jwks, token};
use super::{HTPASSWD, Live};

/// What guards, and the headers that do not satisfy it.
const GUARDS: [(&str, &str); 6] = [
    ("basic", "basic-auth htpasswd-file=\"users.htpasswd\""),
    ("native", "basic-auth htpasswd-file=\"sha.htpasswd\" engine=\"native\""),
    ("token", "jwt provider=\"login\" { except-path-prefix \"/public\"; }"),
    ("key", "api-key header=\"x-api-key\" keys-file=\"clients.keys\""),
    ("asked", "external-auth service=\"guard.svc\""),
    ("rules", "authorization { rule \"deny\" path-prefix=\"/admin\"; rule \"allow\" path-prefix=\"/public\"; }"),
];

/// Every way to write a path that an application might take for `/admin`.
const TARGETS: &[&str] = &[
    "/admin",
    "//admin",
    "/./admin",
    "/x/../admin",
    "/public/../admin",
    "/public/..//admin",
    "/public/%2e%2e/admin",
    "/public/%2E%2E%2Fadmin",
    "/public%2f..%2fadmin",
    "/public/..%2fadmin",
    "/public/..%5cadmin",
    "/public\\..\\admin",
    "/public/..;/admin",
    "/%61dmin",
    "/%2561dmin",
    "/ADMIN",
    "/admin/",
    "/admin?x=/public",
    "/admin#/public",
    "/admin;x=/public",
    "/admin%00",
    "*",
    "http://HOST/admin",
    "http://HOST/public/../admin",
    "http://other.svc/admin",
];

/// Lines of a head that name the service, or might be taken to.
const HOSTS: &[&str] = &[
    "host: NAME",
    "Host: NAME",
    "HOST: NAME:4100",
    "host: NAME:80",
    "host: NAME.",
    "host: UPPER",
    "host: NAME\r\nhost: open.svc",
    "host: open.svc\r\nhost: NAME",
    "host: open.svc,NAME",
    "host: open.svc\r\nx-forwarded-host: NAME",
    "host:NAME\r\n:authority: NAME",
];

/// Credentials that are none, alone or beside each other.
const CREDENTIALS: &[&str] = &[
    "",
    "authorization: Basic\r\n",
    "authorization: Basic Og==\r\n",
    "authorization: basic Z3JhY2U6\r\n",
    "authorization: Basic Z3JhY2U6aG9wcGVy, Basic x\r\n",
    "authorization: Basic x\r\nAuthorization: Basic Z3JhY2U6aG9wcGVy\r\n",
    "authorization:\r\n",
    "authorization: Bearer\r\n",
    "authorization: Bearer a.b.c\r\n",
    "authorization: Bearer a.b.c, Bearer TOKEN\r\n",
    "authorization: Bearer a.b.c\r\nAUTHORIZATION: Bearer TOKEN\r\n",
    "x-api-key:\r\n",
    "x-api-key: none\r\nX-API-KEY: nil\r\n",
    "x-api-key: none,3f5a1c9e7b2d4860\r\n",
    "x_api_key: 3f5a1c9e7b2d4860\r\n",
    "x-meshwright-health-check: 1\r\n",
    "x-forwarded-for: 127.0.0.1\r\nx-envoy-internal: true\r\nx-envoy-original-path: /public\r\n",
    "x-original-url: /public\r\nx-rewrite-url: /public\r\nx-http-method-override: GET\r\n",
];

fn mesh() -> String {
    let mut body = String::from(
        "jwt-provider \"login\" { jwks-file \"login.jwks\"; }\n\
         service \"guard.svc\" { endpoint \"10.0.0.3:3000\"; }\n\
         node \"guard\" serves=\"guard.svc\"\n\
         service \"open.svc\" { endpoint \"10.0.0.1:3900\"; }\n",
    );
    let mut serves = String::from("\"open.svc\"");
    for (index, (name, guard)) in GUARDS.iter().enumerate() {
        body += &format!(
            "service \"{name}.svc\" {{ endpoint \"10.0.0.1:{}\"; health-check path=\"/healthz\" interval=\"1s\"; {guard}; }}\n",
            3000 + index
        );
        serves += &format!(" \"{name}.svc\"");
    }
    body + &format!("node \"beta\" {{ serves {serves}; }}\nnode \"alpha\" calls=\"*\"\n")
}

async fn is_answered_by_the_application(address: SocketAddr, head: &str) -> Option<String> {
    let answer = wire::exchange(address, head.as_bytes()).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    (wire::status(&answer) == Some(200)).then_some(text)
}

#[tokio::test]
async fn no_request_reaches_what_is_guarded() {
    let live = Live::of(&mesh())
        .file("login.jwks", jwks())
        .file("sha.htpasswd", HTPASSWD.lines().nth(1).unwrap())
        .file("clients.keys", "shop:3f5a1c9e7b2d4860\n")
        .up()
        .await;
    live.workload("10.0.0.3:3000").behave(Behaviour::Status(403));
    let bad_elsewhere = token("{\"exp\":1}");
    let mut sent = 0;
    let mut passed = BTreeMap::new();
    for (guard, _) in GUARDS {
        let name = format!("{guard}.svc");
        for address in [live.at("beta", 4100), live.at("alpha", 4000)] {
            let plain = format!("host: {name}");
            let targets = TARGETS.iter().map(|target| (*target, plain.clone(), ""));
            let hosts = HOSTS.iter().map(|host| {
                let host = host.replace("NAME", &name).replace("UPPER", &name.to_ascii_uppercase());
                ("/admin", host, "")
            });
            let credentials = CREDENTIALS.iter().map(|credentials| ("/admin", plain.clone(), *credentials));
            for (target, host, credentials) in targets.chain(hosts).chain(credentials) {
                let target = target.replace("HOST", &name);
                let credentials = credentials.replace("TOKEN", &bad_elsewhere);
                let head = format!("GET {target} HTTP/1.1\r\n{host}\r\n{credentials}connection: close\r\n\r\n");
                sent += 1;
                if let Some(answer) = is_answered_by_the_application(address, &head).await
                    && answer.contains(&format!("\"service\":\"{name}\""))
                {
                    passed.insert(head, answer);
                }
            }
        }
    }
    assert_eq!(passed, BTreeMap::new(), "of {sent}");
    for (index, (guard, _)) in GUARDS.iter().enumerate() {
        let seen = live.workload(&format!("10.0.0.1:{}", 3000 + index)).received();
        let other: Vec<_> = seen.iter().filter(|it| it.path != "/healthz").map(|it| it.path.clone()).collect();
        assert_eq!(other, [] as [String; 0], "{guard}");
    }
}
