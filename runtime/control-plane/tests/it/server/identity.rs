//! With client certificates a client gets the configuration of its own proxy and of no other.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meshwright_control_plane::csds::{ClientStatusRequest, ClientStatusResponse};
use meshwright_control_plane::published::Names;
use meshwright_control_plane::server::{Listen, NotAllowed, Options, TlsFiles};
use meshwright_control_plane::{Limits, Published};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType, string::Ia5String,
};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};

use super::harness::{Server, clusters, eventually, local, start_with};
use super::raw::Raw;
use crate::client::{self, CLUSTER};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn server(&self) -> Signed {
        self.sign(vec![SanType::DnsName(Ia5String::try_from("localhost").unwrap())], Duration::from_secs(3600))
    }

    fn client(&self, uri: &str) -> Signed {
        self.sign(vec![SanType::URI(Ia5String::try_from(uri).unwrap())], Duration::from_secs(3600))
    }

    fn sign(&self, names: Vec<SanType>, valid: Duration) -> Signed {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = (std::time::SystemTime::now() - Duration::from_secs(3600)).into();
        params.not_after = (std::time::SystemTime::now() + valid).into();
        Signed { certificate: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }
}

struct Secured {
    server: Server,
    authority: Authority,
    folder: TempDir,
}

async fn secured() -> Secured {
    secured_with(Options::default().drain).await
}

async fn secured_with(drain: Duration) -> Secured {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new();
    write(folder.path(), &authority.server(), &authority.pem);
    let options = Options { tls: Some(files(folder.path())), drain, ..local() };
    let server = start_with(options, clusters(&["alpha", "beta", "shop/7f3c"], &["a"], "0")).await;
    Secured { server, authority, folder }
}

fn files(folder: &Path) -> TlsFiles {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    TlsFiles { certificate: path("server.pem"), key: path("server.key"), client_ca: Some(path("ca.pem")) }
}

fn write(folder: &Path, server: &Signed, ca: &str) {
    fs::write(folder.join("server.pem"), &server.certificate).unwrap();
    fs::write(folder.join("server.key"), &server.key).unwrap();
    fs::write(folder.join("ca.pem"), ca).unwrap();
}

impl Secured {
    async fn connect(&self, client: Option<&Signed>) -> Result<Channel, tonic::transport::Error> {
        connect(self.server.address(), &self.authority.pem, client).await
    }

    /// What a client with this certificate gets when it asks for this node.
    async fn ask(&self, client: &Signed, node: &str) -> Result<usize, Status> {
        let channel = self.connect(Some(client)).await.unwrap();
        let mut resources = 0;
        let mut refused = Status::ok("");
        let mut stream = client::sotw(&channel).await?;
        stream.subscribe(node, CLUSTER);
        match stream.next().await {
            Ok(response) => resources += response.resources.len(),
            Err(status) => refused = status,
        }
        let mut stream = client::delta(&channel).await?;
        stream.subscribe(node, CLUSTER);
        match stream.next().await {
            Ok(response) => resources += response.resources.len(),
            Err(status) => refused = status,
        }
        if resources > 0 { Ok(resources) } else { Err(refused) }
    }
}

async fn connect(address: SocketAddr, ca: &str, client: Option<&Signed>) -> Result<Channel, tonic::transport::Error> {
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)).domain_name("localhost");
    if let Some(client) = client {
        tls = tls.identity(Identity::from_pem(&client.certificate, &client.key));
    }
    Endpoint::from_shared(format!("https://{address}")).unwrap().tls_config(tls).unwrap().connect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_fails_or_does_not_end_is_closed_and_others_get_in() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new();
    write(folder.path(), &authority.server(), &authority.pem);
    let limits = Limits { first_request: Duration::from_millis(500), ..Limits::default() };
    let options = Options { tls: Some(files(folder.path())), limits, ..local() };
    let server = start_with(options, clusters(&["alpha"], &["a"], "0")).await;
    let mut strangers = Vec::new();
    for hello in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\xff\xff"] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(hello).await.unwrap();
        strangers.push(Raw { stream });
    }
    let alpha = authority.client("spiffe://mesh.example/node/alpha");
    let channel = connect(server.address(), &authority.pem, Some(&alpha)).await.unwrap();
    client::try_sotw(&channel, "alpha", CLUSTER).await.unwrap();
    for stranger in strangers {
        stranger.closed().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_handshake_ends_when_the_server_stops_does_not_keep_it_from_stopping() {
    let secured = secured_with(Duration::from_secs(15)).await;
    let server = secured.server.address();
    let relay = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let through = relay.local_addr().unwrap();
    let (release, released) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut near, _) = relay.accept().await.unwrap();
        let mut far = TcpStream::connect(server).await.unwrap();
        released.await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    let (alpha, ca) = (secured.authority.client("spiffe://mesh.example/node/alpha"), secured.authority.pem.clone());
    let client = tokio::spawn(async move { connect(through, &ca, Some(&alpha)).await });
    eventually("the client is connected", || secured.server.metric("connections") == 1.0).await;
    let began = Instant::now();
    let stopping = tokio::spawn(secured.server.running.stop());
    while TcpStream::connect(server).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    release.send(()).unwrap();
    let _channel = client.await.unwrap();
    stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// D9.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_gets_the_resources_of_another_node_whatever_it_says() {
    let secured = secured().await;
    let alpha = secured.authority.client("spiffe://mesh.example/node/alpha");
    assert_eq!(secured.ask(&alpha, "alpha").await.unwrap(), 2);
    assert_eq!(secured.ask(&alpha, "alpha~task-1").await.unwrap(), 2);
    let mut others = 0;
    for node in ["beta", "beta~alpha", "*", "ALPHA", "alph", "alphabeta", "alpha/../beta", " alpha", "{node}"] {
        match secured.ask(&alpha, node).await {
            Ok(resources) => others += resources,
            Err(status) => assert_eq!(status.code(), Code::PermissionDenied, "{node}"),
        }
    }
    assert_eq!(others, 0);
    assert_eq!(secured.server.metric("streams_refused_total{reason=\"identity\"}"), 18.0);
    let stranger = secured.authority.client("spiffe://mesh.example/job/alpha");
    let status = secured.ask(&stranger, "alpha").await.unwrap_err();
    assert_eq!(
        status.message(),
        "the client's certificate is for spiffe://mesh.example/job/alpha and may not ask for node `alpha`"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_name_has_slashes_is_served() {
    let secured = secured().await;
    let task = secured.authority.client("spiffe://mesh.example/node/shop/7f3c");
    assert_eq!(secured.ask(&task, "shop/7f3c").await.unwrap(), 2);
    for node in ["shop", "7f3c", "shop/*", "beta"] {
        assert_eq!(secured.ask(&task, node).await.unwrap_err().code(), Code::PermissionDenied, "{node}");
    }
}

/// Task `prod/1` is of `orders/7`, `prod/2` of `pay/3`, `prod/3` of the mesh's own `beta`; `shop/7` is a node of the mesh.
fn what_runs(version: &str) -> Published {
    let aliases = [("prod/1", "orders/7"), ("prod/2", "pay/3"), ("prod/3", "beta")];
    let names = Names {
        aliases: aliases.map(|(alias, proxy)| (alias.to_owned(), proxy.to_owned())).into(),
        discovered: ["orders/7", "pay/3"].map(str::to_owned).into(),
    };
    clusters(&["orders/7", "pay/3", "beta", "shop/7"], &["a"], version).named(names)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_what_it_is_whatever_it_calls_itself_and_its_certificate_is_its_familys() {
    let secured = secured().await;
    secured.server.publish(what_runs("1"));
    let orders = secured.authority.client("spiffe://mesh.example/node/orders");
    for own in ["prod/1", "orders/7", "orders/7~prod/1", "orders/6~prod/1", "pay/3~prod/1"] {
        assert_eq!(secured.ask(&orders, own).await.unwrap(), 2, "{own}");
    }
    for other in ["prod/2", "prod/3", "orders/7~prod/2", "orders/7~prod/3", "pay/3", "beta", "pay", "prod/9", "prod"] {
        assert_eq!(secured.ask(&orders, other).await.unwrap_err().code(), Code::PermissionDenied, "{other}");
    }
    let beta = secured.authority.client("spiffe://mesh.example/node/beta");
    assert_eq!(secured.ask(&beta, "anything~prod/3").await.unwrap(), 2);
    // What the mesh names itself is nobody's family.
    let shop = secured.authority.client("spiffe://mesh.example/node/shop");
    assert_eq!(secured.ask(&shop, "shop/7").await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_not_known_yet_waits_and_then_is_told_what_is_its_own() {
    let secured = secured().await;
    let orders = secured.authority.client("spiffe://mesh.example/node/orders");
    let channel = secured.connect(Some(&orders)).await.unwrap();
    let mut own = client::sotw(&channel).await.unwrap();
    own.subscribe("orders/7~prod/1", CLUSTER);
    // Says that it is of orders, and turns out to be of pay.
    let other = client::sotw(&channel).await.unwrap();
    other.subscribe("orders/8~prod/2", CLUSTER);
    eventually("both wait", || secured.server.registry.len() == 2).await;
    secured.server.publish(what_runs("1"));
    assert_eq!(own.hear().await.resources.len(), 1);
    assert_eq!(other.end().await.code(), Code::PermissionDenied);
    let told: Vec<String> = secured.server.registry.streams().into_iter().map(|stream| stream.proxy).collect();
    assert_eq!(told, ["orders/7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_has_left_keeps_its_stream_and_what_it_has() {
    let secured = secured().await;
    secured.server.publish(what_runs("1"));
    let orders = secured.authority.client("spiffe://mesh.example/node/orders");
    let channel = secured.connect(Some(&orders)).await.unwrap();
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("prod/1", CLUSTER);
    let first = stream.hear().await;
    secured.server.publish(clusters(&["beta"], &["a"], "2"));
    stream.acknowledge(&first);
    assert!(stream.is_silent(Duration::from_millis(200)).await);
    secured.server.publish(what_runs("3"));
    assert_eq!(stream.hear().await.resources.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_cannot_become_another_nodes() {
    let secured = secured().await;
    let alpha = secured.authority.client("spiffe://mesh.example/node/alpha");
    let channel = secured.connect(Some(&alpha)).await.unwrap();
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("alpha", CLUSTER);
    stream.hear().await;
    stream.subscribe("beta", CLUSTER);
    assert_eq!(stream.end().await.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_without_a_certificate_or_with_one_of_another_authority_do_not_get_in() {
    let secured = secured().await;
    let foreign = Authority::new().client("spiffe://mesh.example/node/alpha");
    for client in [None, Some(&foreign)] {
        // TLS 1.3 tells the client only when it reads.
        let let_in = match secured.connect(client).await {
            Err(_) => false,
            Ok(channel) => client::try_sotw(&channel, "alpha", CLUSTER).await.is_ok(),
        };
        assert!(!let_in);
    }
    eventually("both were counted", || secured.server.metric("streams_refused_total{reason=\"handshake\"}") >= 2.0)
        .await;
    let plain = match client::try_plain(secured.server.address()).await {
        Ok(mut stream) => stream.next().await.is_ok(),
        Err(_) => false,
    };
    assert!(!plain);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_when_the_certificate_of_its_client_expires() {
    let secured = secured().await;
    let name = SanType::URI(Ia5String::try_from("spiffe://mesh.example/node/alpha").unwrap());
    let short = secured.authority.sign(vec![name], Duration::from_secs(3));
    let channel = secured.connect(Some(&short)).await.unwrap();
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("alpha", CLUSTER);
    let response = stream.hear().await;
    stream.acknowledge(&response);
    // The client says nothing more: it is the clock that ends it.
    assert_eq!(stream.end().await.code(), Code::Unauthenticated);
    let again = client::try_sotw(&channel, "alpha", CLUSTER).await;
    assert_eq!(again.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_change_on_disk_are_used_and_bad_ones_are_not() {
    let secured = secured().await;
    let alpha = secured.authority.client("spiffe://mesh.example/node/alpha");
    assert_eq!(secured.ask(&alpha, "alpha").await.unwrap(), 2);
    let channel = secured.connect(Some(&alpha)).await.unwrap();
    let mut old = client::sotw(&channel).await.unwrap();
    old.subscribe("alpha", CLUSTER);
    let response = old.hear().await;
    old.acknowledge(&response);

    fs::write(secured.folder.path().join("server.key"), "no key").unwrap();
    eventually("the bad key was seen", || {
        secured.server.metric("certificate_reloads_total{outcome=\"failed\"}") >= 1.0
    })
    .await;
    assert_eq!(secured.ask(&alpha, "alpha").await.unwrap(), 2);

    let next = Authority::new();
    write(secured.folder.path(), &next.server(), &next.pem);
    eventually("the new ones were read", || {
        secured.server.metric("certificate_reloads_total{outcome=\"read\"}") >= 1.0
    })
    .await;
    let renewed = next.client("spiffe://mesh.example/node/beta");
    let channel = connect(secured.server.address(), &next.pem, Some(&renewed)).await.unwrap();
    let mut stream = client::sotw(&channel).await.unwrap();
    stream.subscribe("beta", CLUSTER);
    stream.hear().await;
    assert!(secured.connect(Some(&alpha)).await.is_err());
    // Who was let in before stays.
    secured.server.publish(clusters(&["alpha"], &["a"], "1"));
    old.hear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn csds_tells_a_client_with_a_certificate_of_its_own_streams_alone() {
    let secured = secured().await;
    let (alpha, beta) = (
        secured.authority.client("spiffe://mesh.example/node/alpha"),
        secured.authority.client("spiffe://mesh.example/node/beta"),
    );
    let (channel, other) = (secured.connect(Some(&alpha)).await.unwrap(), secured.connect(Some(&beta)).await.unwrap());
    let mut mine = client::sotw(&channel).await.unwrap();
    mine.subscribe("alpha", CLUSTER);
    mine.hear().await;
    let mut theirs = client::sotw(&other).await.unwrap();
    theirs.subscribe("beta", CLUSTER);
    theirs.hear().await;
    let path = "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";
    let told: ClientStatusResponse = client::call(&channel, path, ClientStatusRequest::default()).await.unwrap();
    let nodes: Vec<_> = told.config.iter().map(|config| config.node.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(nodes, ["alpha"]);
}

#[test]
fn nobody_is_served_over_a_network_without_being_known() {
    let anywhere = Listen::Tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 18000)));
    let open = Options { listen: anywhere.clone(), ..Options::default() };
    let refused = open.validate().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "0.0.0.0:18000 can be reached from other machines, and clients without certificates could ask for anybody's \
         configuration: give `--tls-certificate`, `--tls-key` and `--client-ca`, or listen on 127.0.0.1, or say \
         `--insecure`"
    );
    // Encrypted is not known.
    let tls = TlsFiles { client_ca: None, ..files(Path::new("/")) };
    let encrypted = Options { tls: Some(tls), ..open.clone() };
    assert!(matches!(encrypted.validate(), Err(NotAllowed::Unauthenticated(_))));
    let known = Options { tls: Some(files(Path::new("/"))), ..open.clone() };
    assert_eq!(known.validate(), Ok(()));
    assert_eq!(Options { insecure: true, ..open }.validate(), Ok(()));
    for local in ["127.0.0.1:18000", "127.80.0.1:1", "[::1]:18000", "[::ffff:127.0.0.1]:1", "unix:/run/mesh.sock"] {
        let listen = local.parse().unwrap();
        assert_eq!(Options { listen, ..Options::default() }.validate(), Ok(()), "{local}");
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_used_stop_the_start_with_the_file_and_the_reason() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new();
    write(folder.path(), &authority.server(), &authority.pem);
    fs::write(folder.path().join("ca.pem"), "nothing").unwrap();
    let error = super::harness::try_start(Options { tls: Some(files(folder.path())), ..local() }).await.unwrap_err();
    assert!(error.to_string().ends_with("ca.pem` is not usable: it holds no certificate in PEM"), "{error}");
    fs::remove_file(folder.path().join("server.key")).unwrap();
    let error = super::harness::try_start(Options { tls: Some(files(folder.path())), ..local() }).await.unwrap_err();
    assert!(error.to_string().contains("server.key`: No such file"), "{error}");
}
