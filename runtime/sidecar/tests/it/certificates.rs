//! TLS towards control planes: both sides show who they are, and files may change at any time.

use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustix::process::Signal;

use crate::world::{ControlPlane, NODE, Sidecar, Tls, Variant, World, until};

const SOON: Duration = Duration::from_secs(10);
const SERVER: &str = "control-plane.example";

/// An authority, and the files that it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Chain and key, as files of this name.
    fn sign(&self, world: &World, file: &str, name: SanType) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let paths = (self.path(world, &format!("{file}.crt")), self.path(world, &format!("{file}.key")));
        std::fs::write(&paths.0, certificate.pem()).expect("a file");
        std::fs::write(&paths.1, key.serialize_pem()).expect("a file");
        paths
    }

    fn path(&self, world: &World, file: &str) -> PathBuf {
        world.folder.path().join(file)
    }
}

fn node(name: &str) -> SanType {
    SanType::URI(format!("spiffe://mesh.example/node/{name}").try_into().expect("an identity"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_its_own_and_new_certificates_are_used_without_a_restart() {
    let world = World::new(Variant::Delta).await;
    let authority = Authority::new();
    let ca = authority.path(&world, "ca.crt");
    std::fs::write(&ca, &authority.pem).expect("a file");
    let (certificate, key) = authority.sign(&world, "server", SanType::DnsName(SERVER.try_into().expect("a name")));
    let tls = Tls { certificate, key, client_ca: Some(ca.clone()) };
    let address = world.control_plane_address(0);
    let control_plane = ControlPlane::start_with(&world, address, "1", Some(tls)).await;

    world.bundle("bundled");
    let (certificate, key) = authority.sign(&world, "own", node("somebody-else"));
    let [ca, certificate, key] = [&ca, &certificate, &key].map(|path| path.to_str().expect("a path"));
    let arguments = ["--ca", ca, "--certificate", certificate, "--key", key, "--server-name", SERVER];
    let sidecar = Sidecar::start_with(&world, &[address], &arguments);
    world.answers("bundled", SOON).await;
    until("the control plane's reason is told", SOON, async || sidecar.log().contains("PermissionDenied")).await;
    assert_eq!(world.get().await.expect("an answer").header("x-version").as_deref(), Some("bundled"));

    authority.sign(&world, "own", node(NODE));
    sidecar.signal(Signal::HUP);
    world.answers("1", SOON).await;
    assert_eq!(control_plane.streams(), 1);
}
