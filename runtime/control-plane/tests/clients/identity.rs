//! Clients with certificates: gRPC takes the files that its bootstrap names, and is told of its own node alone.
//!
//! Of the clients here only the newest can: grpcio 1.60 aborts, and gRPC for Node speaks plain text to a control plane.

use std::fs;
use std::path::Path;

use compiler::emit::ads::Tls;
use meshwright_control_plane::server::{Options, TlsFiles};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;

use crate::backend::Backend;
use crate::bootstrap;
use crate::client::Client;
use crate::control_plane::ControlPlane;
use crate::mesh::{CALLER, Mesh};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpcio_is_known_by_its_certificate() {
    let (folder, backend) = (TempDir::new().expect("there is a place"), Backend::start("one").await);
    let control_plane = secured(folder.path(), CALLER, &backend).await;
    let bootstrap = bootstrap::with_tls(control_plane.address(), tls(folder.path()));
    let mut client = Client::grpcio_from("newest", &bootstrap);
    client.answered_by("one").await;
    client.calls(20).await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpcio_is_told_nothing_of_another_node() {
    let (folder, backend) = (TempDir::new().expect("there is a place"), Backend::start("one").await);
    let control_plane = secured(folder.path(), "payment", &backend).await;
    let _client = Client::grpcio_from("newest", &bootstrap::with_tls(control_plane.address(), tls(folder.path())));
    control_plane.until_turned_away().await;
    assert_eq!(control_plane.pushes(), 0);
}

/// A control plane that asks for certificates, and one for this node.
async fn secured(folder: &Path, node: &str, backend: &Backend) -> ControlPlane {
    let key = KeyPair::generate().expect("there is randomness");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority");
    let write = |name: &str, content: String| fs::write(folder.join(name), content).expect("it is writable");
    write("ca.pem", params.self_signed(&key).expect("it can be signed").pem());
    let issuer = Issuer::new(params, key);
    let uri = Ia5String::try_from(format!("spiffe://shop/node/{node}")).expect("it is ASCII");
    for (name, stands_for) in [("server", SanType::IpAddress([127, 0, 0, 1].into())), ("client", SanType::URI(uri))] {
        let key = KeyPair::generate().expect("there is randomness");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![stands_for];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        write(&format!("{name}.pem"), params.signed_by(&key, &issuer).expect("it can be signed").pem());
        write(&format!("{name}.key"), key.serialize_pem());
    }
    let path = |name: &str| folder.join(name);
    let files = TlsFiles { certificate: path("server.pem"), key: path("server.key"), client_ca: Some(path("ca.pem")) };
    let mesh = Mesh::routing_to("one").cluster("one", backend.address);
    ControlPlane::start_with(Options { tls: Some(files), ..ControlPlane::options() }, &mesh).await
}

fn tls(folder: &Path) -> Tls {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    Tls {
        authorities: path("ca.pem"),
        certificate: Some((path("client.pem"), path("client.key"))),
        server_names: Vec::new(),
        folder: String::new(),
    }
}
