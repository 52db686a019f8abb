//! TLS in both directions: a client that chooses everything it says, and servers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use local::stream::{Accept, BoxFuture, BoxStream, Dial, Encryption, Plain};
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::authority::Leaf;

/// A client of TLS, over TCP or over another way to reach an address.
#[derive(Clone)]
pub struct TlsDial {
    trusted: String,
    server_name: String,
    certificate: Option<Leaf>,
    alpn: Vec<Vec<u8>>,
    versions: Vec<&'static SupportedProtocolVersion>,
    below: Arc<dyn Dial>,
}

/// The server's side.
pub struct TlsServer(TlsAcceptor);

impl TlsDial {
    /// Believes this authority (PEM) and asks for this server, by name (then also as SNI) or address.
    pub fn new(trusted: &str, server_name: &str) -> Self {
        Self {
            trusted: trusted.to_owned(),
            server_name: server_name.to_owned(),
            certificate: None,
            alpn: Vec::new(),
            versions: vec![&version::TLS12, &version::TLS13],
            below: Arc::new(Plain),
        }
    }

    /// Shows this certificate when asked for one.
    #[must_use]
    pub fn certificate(mut self, leaf: &Leaf) -> Self {
        self.certificate = Some(leaf.clone());
        self
    }

    /// Offers these protocols, such as `h2`.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }

    /// Speaks TLS 1.2 only.
    #[must_use]
    pub fn only_1_2(mut self) -> Self {
        self.versions = vec![&version::TLS12];
        self
    }

    /// Speaks TLS 1.3 only.
    #[must_use]
    pub fn only_1_3(mut self) -> Self {
        self.versions = vec![&version::TLS13];
        self
    }

    /// Reaches the address in this way, for instance from another one.
    #[must_use]
    pub fn over(mut self, below: Arc<dyn Dial>) -> Self {
        self.below = below;
        self
    }

    pub fn dialer(self) -> Arc<dyn Dial> {
        Arc::new(self)
    }

    /// Connects and tells what was agreed: the protocol (ALPN) and the server's certificate (DER).
    pub async fn connect(&self, address: SocketAddr) -> io::Result<Agreed> {
        let stream = self.below.dial(address).await?;
        let name = ServerName::try_from(self.server_name.clone()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::new(self.config())).connect(name, stream).await?;
        let (_, session) = stream.get_ref();
        let certificates = session.peer_certificates().unwrap_or_default();
        Ok(Agreed {
            alpn: session.alpn_protocol().map(|alpn| String::from_utf8_lossy(alpn).into_owned()),
            server_certificate: certificates.first().map(|certificate| certificate.to_vec()),
            version: session.protocol_version().map(|version| format!("{version:?}")),
            stream: Box::new(stream),
        })
    }

    fn config(&self) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&self.versions).expect("versions that the library speaks");
        let builder = builder.with_root_certificates(roots(&self.trusted));
        let mut config = match &self.certificate {
            Some(leaf) => builder.with_client_auth_cert(chain(leaf), private_key(leaf)).expect("a usable certificate"),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.alpn);
        config
    }
}

/// An open connection, and what both sides agreed on.
#[derive(Debug)]
pub struct Agreed {
    pub stream: BoxStream,
    pub alpn: Option<String>,
    pub server_certificate: Option<Vec<u8>>,
    /// `TLSv1_2` or `TLSv1_3`.
    pub version: Option<String>,
}

impl Dial for TlsDial {
    fn scheme(&self) -> &'static str {
        "https"
    }

    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move { Ok(self.connect(address).await?.stream) })
    }
}

impl TlsServer {
    /// Shows this certificate and asks for none. Speaks HTTP/2 and HTTP/1.1.
    pub fn new(leaf: &Leaf) -> Self {
        Self::with(leaf, None)
    }

    /// Asks every caller for a certificate of this authority (PEM).
    pub fn mutual(leaf: &Leaf, trusted: &str) -> Self {
        Self::with(leaf, Some(trusted))
    }

    fn with(leaf: &Leaf, trusted: Option<&str>) -> Self {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().expect("versions that the library speaks");
        let builder = match trusted {
            Some(trusted) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(trusted)), provider);
                builder.with_client_cert_verifier(verifier.build().expect("an authority"))
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain(leaf), private_key(leaf)).expect("a usable certificate");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self(TlsAcceptor::from(Arc::new(config)))
    }
}

impl Accept for TlsServer {
    fn accept(&self, stream: TcpStream) -> BoxFuture<'_, io::Result<(BoxStream, Option<Encryption>)>> {
        Box::pin(async move {
            let stream = self.0.accept(stream).await?;
            let (_, session) = stream.get_ref();
            let certificates = session.peer_certificates().unwrap_or_default();
            let encryption = Encryption {
                server_name: session.server_name().map(str::to_owned),
                alpn: session.alpn_protocol().map(|alpn| String::from_utf8_lossy(alpn).into_owned()),
                client_certificate: certificates.first().map(|certificate| certificate.to_vec()),
            };
            Ok((Box::new(stream) as BoxStream, Some(encryption)))
        })
    }
}

fn roots(pem: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.expect("PEM")).expect("a certificate of an authority");
    }
    roots
}

fn chain(leaf: &Leaf) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(leaf.certificate.as_bytes()).map(|certificate| certificate.expect("PEM")).collect()
}

fn private_key(leaf: &Leaf) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).expect("a private key")
}
