//! No spelling of a request slips past what guards a service, at its sidecar or at a gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use local::Behaviour;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;
use world::wire::{self, Wire};

use super::tokens::{jwks, token};
use super::{HTPASSWD, Live};

const PATIENCE: Duration = Duration::from_secs(2);

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

/// The answer, if it is that of an application.
async fn passes(address: SocketAddr, head: String) -> Option<String> {
    let mut stream = Wire::open(address).await.into_stream();
    drop(stream.write_all(head.as_bytes()).await);
    let (mut answer, mut chunk) = (Vec::new(), [0; 16 << 10]);
    // Some of these Envoy leaves open, to see whether more of the request comes.
    while let Ok(Ok(length)) = timeout(PATIENCE, stream.read(&mut chunk)).await {
        answer.extend_from_slice(&chunk[..length]);
        let refused = wire::status(&answer).is_some_and(|status| status != 200);
        if length == 0 || refused {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    (wire::status(&answer) == Some(200)).then_some(text)
}

/// What a guard lets pass: a path, and credentials.
const GOOD: [(&str, &str, &str); 5] = [
    ("basic", "/admin", "authorization: Basic Z3JhY2U6aG9wcGVy\r\n"),
    ("native", "/admin", "authorization: Basic Z3JhY2U6aG9wcGVy\r\n"),
    ("token", "/admin", "authorization: Bearer TOKEN\r\n"),
    ("key", "/admin", "x-api-key: 3f5a1c9e7b2d4860\r\n"),
    ("rules", "/public", ""),
];

async fn up(mesh: &str) -> Live {
    let live = Live::of(mesh)
        .file("login.jwks", jwks())
        .file("sha.htpasswd", HTPASSWD.lines().nth(1).unwrap())
        .file("clients.keys", "shop:3f5a1c9e7b2d4860\n")
        .up()
        .await;
    live.workload("10.0.0.3:3000").behave(Behaviour::Status(403));
    live
}

fn is_of(answer: &str, service: &str) -> bool {
    answer.contains(&format!("\"service\":\"{service}\""))
}

/// Who has what a guard asks for does pass, or the rest would prove nothing.
async fn lets_pass(address: SocketAddr, guard: &str, host: &str, service: &str) {
    let Some((_, path, credentials)) = GOOD.iter().find(|(name, ..)| *name == guard) else { return };
    let credentials = credentials.replace("TOKEN", &token("{\"exp\":4102444800}"));
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{credentials}connection: close\r\n\r\n");
    let answer = passes(address, head).await;
    assert!(answer.is_some_and(|it| is_of(&it, service)), "{service} lets nobody pass");
}

/// A request that must not reach this service.
#[derive(Clone)]
struct Attack {
    service: String,
    address: SocketAddr,
    head: String,
}

/// Every spelling of a request for a guarded service, known to callers as `host`.
fn attacks(host: &str, service: &str, address: SocketAddr) -> Vec<Attack> {
    let bad = token("{\"exp\":1}");
    let plain = format!("host: {host}");
    let targets = TARGETS.iter().map(|target| (*target, plain.clone(), ""));
    let hosts = HOSTS.iter().map(|line| {
        let line = line.replace("NAME", host).replace("UPPER", &host.to_ascii_uppercase());
        ("/admin", line, "")
    });
    let credentials = CREDENTIALS.iter().map(|credentials| ("/admin", plain.clone(), *credentials));
    let attack = |(target, line, credentials): (&str, String, &str)| {
        let (target, credentials) = (target.replace("HOST", host), credentials.replace("TOKEN", &bad));
        let head = format!("GET {target} HTTP/1.1\r\n{line}\r\n{credentials}connection: close\r\n\r\n");
        Attack { service: service.to_owned(), address, head }
    };
    targets.chain(hosts).chain(credentials).map(attack).collect()
}

/// None of them is answered by whom it was meant for.
async fn fail(attacks: &[Attack]) {
    let mut passed = BTreeMap::new();
    for some in attacks.chunks(32) {
        let mut sent = JoinSet::new();
        for attack in some.iter().cloned() {
            sent.spawn(async move { (attack.clone(), passes(attack.address, attack.head).await) });
        }
        for (attack, answer) in sent.join_all().await {
            if let Some(answer) = answer.filter(|it| is_of(it, &attack.service)) {
                passed.insert(attack.head, answer);
            }
        }
    }
    assert_eq!(passed, BTreeMap::new(), "of {}", attacks.len());
}

#[track_caller]
fn was_not_reached(live: &Live, endpoint: &str) {
    let received = live.workload(endpoint).received();
    let other: Vec<_> = received.iter().filter(|it| it.path != "/healthz").map(|it| it.path.clone()).collect();
    assert_eq!(other, [] as [String; 0], "{endpoint}");
}

fn forget(live: &Live) {
    live.started.running.workloads().iter().filter(|it| it.identity().service != "guard.svc").for_each(|it| it.reset());
}

#[tokio::test]
async fn no_request_reaches_what_is_guarded() {
    let live = up(&mesh()).await;
    lets_pass(live.at("beta", 4100), "rules", "open.svc", "open.svc").await;
    let mut all = Vec::new();
    for (guard, _) in GUARDS {
        let name = format!("{guard}.svc");
        lets_pass(live.at("beta", 4100), guard, &name, &name).await;
        for address in [live.at("beta", 4100), live.at("alpha", 4000)] {
            all.extend(attacks(&name, &name, address));
        }
    }
    forget(&live);
    fail(&all).await;
    for index in 0..GUARDS.len() {
        was_not_reached(&live, &format!("10.0.0.1:{}", 3000 + index));
    }
}

/// One gateway with hosts of all guarded services, and for each guard a gateway that has it itself.
fn behind_gateways() -> String {
    let mut body = mesh();
    let (mut hosts, mut bare) = (String::new(), String::new());
    for (index, (name, guard)) in GUARDS.iter().enumerate() {
        hosts += &format!("host \"{name}.example\" {{ to \"{name}.svc\"; }}\n");
        bare += &format!(" \"bare-{name}.svc\"");
        body += &format!(
            "service \"bare-{name}.svc\" {{ endpoint \"10.0.0.2:{}\"; }}\n\
             gateway \"at-{name}\" {{ listen 8080; calls \"open.svc\"; {guard}; \
             host \"{name}.example\" {{ to \"bare-{name}.svc\"; }}; }}\n",
            3000 + index
        );
    }
    body + &format!(
        "node \"bare\" {{ serves {bare}; }}\n\
         gateway \"front\" {{ listen 8080; calls \"open.svc\"\n{hosts} }}\n"
    )
}

#[tokio::test]
async fn no_request_reaches_it_through_a_gateway() {
    let live = up(&behind_gateways()).await;
    let mut all = Vec::new();
    for (guard, _) in GUARDS {
        let (host, bare) = (format!("{guard}.example"), format!("bare-{guard}.svc"));
        for (gateway, service) in [("front".to_owned(), format!("{guard}.svc")), (format!("at-{guard}"), bare)] {
            let address = live.at(&gateway, 8080);
            lets_pass(address, guard, &host, &service).await;
            all.extend(attacks(&host, &service, address));
        }
    }
    forget(&live);
    fail(&all).await;
    for (index, node) in (0..GUARDS.len()).flat_map(|index| [(index, 1), (index, 2)]) {
        was_not_reached(&live, &format!("10.0.0.{node}:{}", 3000 + index));
    }
}
