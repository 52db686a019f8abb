//! Requests that their callers have signed.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::{Client, Request, Version};
use policy::{SigningSecret, sha256};

use super::{Live, received};

const SECRETS: &str =
    "# callers\nshop:0123456789abcdef0123456789abcdef\nmill:{BASE64}AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const SHOP: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A request that nobody has signed yet.
#[derive(Clone)]
struct Unsigned {
    method: &'static str,
    host: &'static str,
    target: &'static str,
    body: Vec<u8>,
    /// What stands behind `created`.
    parameters: String,
    secret: Vec<u8>,
    age: u64,
}

impl Unsigned {
    fn get(host: &'static str, target: &'static str) -> Self {
        Self {
            method: "GET",
            host,
            target,
            body: Vec::new(),
            parameters: ";keyid=\"shop\"".to_owned(),
            secret: SHOP.to_vec(),
            age: 0,
        }
    }

    fn post(host: &'static str, body: &[u8]) -> Self {
        Self { method: "POST", body: body.to_vec(), ..Self::get(host, "/orders") }
    }

    fn nonce(mut self, nonce: &str) -> Self {
        self.parameters.push_str(&format!(";nonce=\"{nonce}\""));
        self
    }

    fn signed(&self) -> Request {
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let mut components = vec![
            ("@method", self.method.to_owned()),
            ("@authority", self.host.to_owned()),
            ("@path", path.to_owned()),
            ("@query", format!("?{query}")),
        ];
        let mut request = Request::new(self.method, self.target).host(self.host).body(self.body.clone());
        if !self.body.is_empty() {
            let digest = format!("sha-256=:{}:", STANDARD.encode(sha256(&self.body)));
            request = request.header("content-digest", &digest);
            components.push(("content-digest", digest));
        }
        let names: Vec<String> = components.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let signed = format!("({});created={}{}", names.join(" "), now - self.age, self.parameters);
        let lines: String = components.iter().map(|(name, value)| format!("\"{name}\": {value}\n")).collect();
        let signature =
            SigningSecret::new(&self.secret).sign(format!("{lines}\"@signature-params\": {signed}").as_bytes());
        request
            .header("signature-input", format!("sig1={signed}"))
            .header("signature", format!("sig1=:{}:", STANDARD.encode(signature)))
    }
}

#[tokio::test]
async fn only_signed_requests_pass_and_each_only_once() {
    let live = Live::of(
        r#"
        service "orders.svc" {
            endpoint "10.0.0.1:3000"
            health-check path="/healthz" interval="1s" cache="0s"
            hmac-signature secrets-file="clients.secrets" forward-client-header="x-client"
        }
        service "open.svc" { endpoint "10.0.0.1:3001" }
        node "alpha" calls="*"
        node "beta" { serves "orders.svc" "open.svc" }
        "#,
    )
    .file("clients.secrets", SECRETS)
    .up()
    .await;
    let get = || Unsigned::get("orders.svc", "/orders?open=1");
    let good = live.send("alpha", get().nonce("a").signed().header("x-client", "mill")).await;
    assert_eq!(good.status, 200, "{}", good.text());
    assert_eq!(received(&good, "x-client"), ["shop"], "the client cannot be forged");
    assert_eq!(live.send("alpha", get().nonce("a").signed()).await.status, 401, "a nonce passes once");
    let once = get().signed();
    assert_eq!(live.send("alpha", once.clone()).await.status, 200);
    assert_eq!(live.send("alpha", once).await.status, 401, "a signature passes once");
    let mut old = get();
    old.age = 400;
    assert_eq!(live.send("alpha", old.signed()).await.status, 401, "an old signature");
    let mut foreign = get().nonce("b");
    foreign.secret = b"another secret of thirty-two byte".to_vec();
    assert_eq!(live.send("alpha", foreign.signed()).await.status, 401, "another secret");
    let unsigned = live.send("alpha", Request::get("/orders").host("orders.svc")).await;
    assert_eq!(unsigned.status, 401);
    assert_eq!(unsigned.header("www-authenticate").as_deref(), Some("Signature"));
    assert_eq!(
        unsigned.header("accept-signature").as_deref(),
        Some("sig=(\"@method\" \"@authority\" \"@path\" \"@query\");created;keyid;alg=\"hmac-sha256\"")
    );
    let grpc = Request::new("POST", "/a.B/C").host("orders.svc").header("content-type", "application/grpc");
    let grpc = live.send("alpha", grpc).await;
    assert_eq!((grpc.status, grpc.header("grpc-status").as_deref()), (200, Some("16")));
    let open = live.send("alpha", Request::get("/").host("open.svc")).await;
    assert_eq!(open.status, 200, "the service beside it asks for nothing");
    live.wait_for_log("beta", |entry| entry.to_string().contains("meshwright_hmac_signature_denied[replayed]")).await;
    assert_eq!(live.counter("alpha", "cluster.orders_svc.membership_healthy").await, 1, "checks are not signed");
}

#[tokio::test]
async fn a_body_reaches_the_application_only_as_it_was_signed() {
    let live = Live::of(
        r#"
        service "orders.svc" {
            endpoint "10.0.0.1:3000"
            hmac-signature secrets-file="clients.secrets"
        }
        service "modern.svc" {
            protocol "http2"
            endpoint "10.0.0.1:3001"
            hmac-signature secrets-file="clients.secrets"
        }
        service "stream.svc" {
            endpoint "10.0.0.1:3002"
            hmac-signature secrets-file="clients.secrets" check-body=#false
        }
        node "alpha" calls="*"
        node "beta" { serves "orders.svc" "modern.svc" "stream.svc" }
        "#,
    )
    .file("clients.secrets", SECRETS)
    .up()
    .await;
    let large = vec![b'x'; 300_000];
    for (host, endpoint) in [("orders.svc", "10.0.0.1:3000"), ("modern.svc", "10.0.0.1:3001")] {
        assert_eq!(live.send("alpha", Unsigned::get(host, "/").signed()).await.status, 200, "{host} without a body");
        for (number, body) in [&b"{\"sum\": 1}"[..], &large].into_iter().enumerate() {
            let signed = Unsigned::post(host, body).nonce(&format!("{number}"));
            assert_eq!(live.send("alpha", signed.signed()).await.status, 200, "{host}");
            let last = live.workload(endpoint).received().pop().unwrap();
            assert!(body.starts_with(&last.body) && !last.body.is_empty(), "{host}");
            let mut other = body.to_vec();
            other[0] ^= 1;
            let changed = signed.nonce("changed").signed().body(other);
            assert_eq!(live.send("alpha", changed).await.status, 401, "{host}");
        }
        let seen = live.workload(endpoint).received().len();
        let added = Unsigned { method: "POST", ..Unsigned::get(host, "/orders") }.signed().body("{}");
        assert_eq!(live.send("alpha", added).await.status, 401, "{host}: a body that nobody signed");
        assert_eq!(live.workload(endpoint).received().len(), seen, "{host}: nothing of it has come through");
    }
    let huge = Unsigned::post("orders.svc", &vec![b'x'; 3_000_000]).nonce("huge");
    assert_eq!(live.send("alpha", huge.signed()).await.status, 413);
    let unchecked = Unsigned { method: "POST", ..Unsigned::get("stream.svc", "/orders") }.signed().body("{}");
    assert_eq!(live.send("alpha", unchecked).await.status, 200);
}

#[tokio::test]
async fn all_workers_of_a_gateway_remember_what_one_has_seen() {
    let live = Live::of(
        r#"
        service "orders.svc" { endpoint "10.0.0.1:3000"; }
        node "beta" serves="orders.svc"
        gateway "front" {
            listen 8080
            bind "127.0.0.1"
            hmac-signature secrets-file="clients.secrets" replay-memory=1
            host "shop.example" { to "orders.svc"; }
        }
        "#,
    )
    .file("clients.secrets", SECRETS)
    .up()
    .await;
    let get = |nonce: &str| Unsigned::get("shop.example", "/").nonce(nonce).signed();
    assert_eq!(live.send("front", get("first")).await.status, 200);
    let answers = live.send_many("front", get("many"), 64).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 1, "the same request passes once, whichever worker gets it");
    assert!(answers.iter().all(|answer| [200, 401].contains(&answer.status)));
    // There is room for 64, of which two are taken; nothing is forgotten before its time.
    for number in 0..62 {
        assert_eq!(live.send("front", get(&format!("{number}"))).await.status, 200, "{number}");
    }
    assert_eq!(live.send("front", get("one too many")).await.status, 503);
    assert_eq!(live.send("front", get("first")).await.status, 401);
    let mut h2 = Client::new(live.at("front", 8080)).version(Version::Http2);
    let unsigned = h2.send(&Request::get("/").host("shop.example")).await.unwrap();
    assert_eq!(unsigned.status, 401);
}
