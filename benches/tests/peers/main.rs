//! What the manual says of peers is what they do: ours, Envoy's own filter and nginx get the same requests.

mod nginx;

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::{EnvoyBinary, Request, Response};
use meshwright_benches::in_envoy::{Answer, HOST, World, ours};
use meshwright_benches::variants::variant;
use serde_json::{Value, json};

use crate::nginx::Nginx;

/// Two users with the one hash that all three know. alice/secret, colon/a:b:c, empty, zoë/pässwörd.
const USERS: [(&str, &str); 4] = [
    ("alice", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="),
    ("colon", "{SHA}cLzgnoJ6mP5qz3w+mwvPE2vDgu0="),
    ("empty", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
    ("zo\u{eb}", "{SHA}9Rfd8dMqES/xrVXGbRsSyzjn6Pc="),
];

const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/reference/peers.md");
const START: &str = "<!-- measured -->\n";
const END: &str = "<!-- end -->\n";

#[tokio::test]
async fn peers_do_what_the_manual_says() {
    let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
    let variants = [variant("ours", vec![our_filter()]), variant("native", vec![native(&htpasswd())])];
    let world = World::start(&envoy, &variants, Answer::Upstream, 1).await;
    let world = world.unwrap_or_else(|error| panic!("{error:#}"));
    let nginx = Nginx::start(&world, &htpasswd());
    let mut clients = [world.client(0), world.client(1), nginx.client()];

    let mut table =
        String::from("| request | ours | Envoy 1.40's `basic_auth` | nginx 1.22's `auth_basic` |\n|---|---|---|---|\n");
    for (name, request, judge) in requests() {
        let mut cells = Vec::new();
        for client in &mut clients {
            let response = client.send(&request).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            cells.push(judge(&response));
        }
        table.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    for (format, hash) in FORMATS {
        let text = format!("grace:{hash}\n");
        let cells = [of_ours(hash), of_native(&envoy, &text).await, nginx.of(&text).await];
        table.push_str(&format!("| a file with {format} | {} |\n", cells.join(" | ")));
    }
    world.stop().await;
    compare(&table);
}

/// The password `hopper` in other formats.
const FORMATS: [(&str, &str); 7] = [
    ("`{SSHA}`", "{SSHA}oq7ozA+Oe3bbfJ1YLt9PYfRzICRzYWx0"),
    ("apr1", "$apr1$saltsalt$H/qFvAgKXSwbt6ze.w0tQ1"),
    ("bcrypt", "$2b$04$CCCCCCCCCCCCCCCCCCCCC.qJp654ejUytF/n6Nx7jEbLj6eQ5luXe"),
    ("SHA-256 crypt", "$5$rounds=1000$saltsalt$cSTMvF3hEotiXRliE7oTvMQQxGbDdJv4hCuElVNUsj/"),
    (
        "SHA-512 crypt",
        "$6$rounds=1000$saltsalt$vsqujNaZKTJguBzbG1T3AM6T6ls5cFgm69WZ07pW.ERUW1YhEhEISf87gdCbX6kYp7fi/SX7yaUDorxiIuV0B.",
    ),
    ("PBKDF2", "$pbkdf2-sha256$1000$c2FsdHNhbHQ$jCSm/nZpGtJRs6XRsAYlN3d0stv0efuqjxYr8xKj8Pc"),
    ("argon2id", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$J34EeJhRidw95NXVQf+r/LSzuiKSd2bp9Z/NOd3mmfE"),
];

type Judge = fn(&Response) -> String;

fn requests() -> Vec<(&'static str, Request, Judge)> {
    let right = || get().basic_auth("alice", "secret");
    let raw = |value: &str| get().header("authorization", value);
    let encoded = |text: &str| STANDARD.encode(text);
    let unpadded = encoded("alice:secret").trim_end_matches('=').to_owned();
    vec![
        ("the right password", right(), status),
        ("the scheme as `bAsIc`", raw(&format!("bAsIc {}", encoded("alice:secret"))), status),
        ("a password with a colon", get().basic_auth("colon", "a:b:c"), status),
        ("an empty password", get().basic_auth("empty", ""), status),
        ("a name and a password in UTF-8", get().basic_auth("zo\u{eb}", "p\u{e4}ssw\u{f6}rd"), status),
        ("base64 without padding", raw(&format!("Basic {unpadded}")), status),
        ("junk after the credential", raw(&format!("Basic {} x", encoded("alice:secret"))), status),
        ("the right credential twice", right().basic_auth("alice", "secret"), status),
        ("the right credential, then a wrong one", right().basic_auth("alice", "wrong"), status),
        (
            "a wrong credential, then the right one",
            get().basic_auth("alice", "wrong").basic_auth("alice", "secret"),
            status,
        ),
        ("a NUL behind the password", raw(&format!("Basic {}", encoded("alice:secret\0"))), status),
        (
            "none: the challenge, for `Host: beta.svc` and `/?secret=1`",
            Request::get("/?secret=1").host(HOST),
            challenge,
        ),
        ("a forged user header: what the upstream hears", right().header("x-user", "root"), heard_user),
        ("the right password: whether the upstream hears it", right(), heard_credentials),
        ("none, over gRPC", get().header("content-type", "application/grpc"), grpc),
    ]
}

fn get() -> Request {
    Request::get("/").host(HOST)
}

fn status(response: &Response) -> String {
    response.status.to_string()
}

fn challenge(response: &Response) -> String {
    format!("`{}`", response.header("www-authenticate").unwrap_or_default())
}

fn heard(response: &Response, name: &str) -> Vec<String> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let values = body["headers"][name].as_array().cloned().unwrap_or_default();
    values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn heard_user(response: &Response) -> String {
    format!("`{}`", heard(response, "x-user").join("`, `"))
}

fn heard_credentials(response: &Response) -> String {
    if heard(response, "authorization").is_empty() { "no".to_owned() } else { "yes".to_owned() }
}

fn grpc(response: &Response) -> String {
    match response.header("grpc-status") {
        Some(code) => format!("{}, `grpc-status: {code}`", response.status),
        None => response.status.to_string(),
    }
}

fn htpasswd() -> String {
    USERS.iter().map(|(name, hash)| format!("{name}:{hash}\n")).collect()
}

fn our_filter() -> Value {
    let users: Vec<Value> = USERS.iter().map(|(name, hash)| json!({ "name": name, "hash": hash })).collect();
    let config = json!({ "realm": "shop", "users": users, "forward_user_header": "x-user", "hide": true });
    ours(policy::BASIC_AUTH_ROOT_ID, &config)
}

fn native(htpasswd: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth",
        "users": { "inline_string": htpasswd },
        "forward_username_header": "x-user",
    })
}

fn of_ours(hash: &str) -> String {
    let known = policy::PasswordHash::parse(hash);
    if known.is_ok() { "read".to_owned() } else { format!("refused: {known:?}") }
}

async fn of_native(envoy: &EnvoyBinary, htpasswd: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("envoy.json");
    fs::write(&config, bootstrap_of(native(htpasswd)).to_string()).expect("the folder is writable");
    let report = envoy.validate(&config, folder.path()).await.expect("Envoy runs");
    if report.accepted { "read".to_owned() } else { "the whole configuration refused".to_owned() }
}

fn bootstrap_of(filter: Value) -> Value {
    meshwright_benches::in_envoy::nowhere(&[variant("validated", vec![filter])])
}

/// Compares with the manual, or, where `UPDATE_EXPECT` is set, writes it.
#[track_caller]
fn compare(table: &str) {
    let chapter = Path::new(CHAPTER);
    let text = fs::read_to_string(chapter).expect("the manual has the chapter");
    let (before, rest) = text.split_once(START).expect("the chapter has a table");
    let (known, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(chapter, [before, START, table, END, after].concat()).expect("the chapter is writable");
        return;
    }
    assert!(known == table, "peers do something else than {CHAPTER} says:\n{table}");
}
