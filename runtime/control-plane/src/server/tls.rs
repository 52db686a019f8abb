//! TLS of the server: certificates are read again whenever their files change, and the last good ones stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::options::TlsFiles;
use crate::metrics::Metrics;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(super) struct Tls {
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read `{}`: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("`{}` is not usable: {reason}", path.display())]
    Unusable { path: PathBuf, reason: String },
}

impl Tls {
    /// Reads the files, and follows them for as long as `self` or a clone of it lives.
    pub(super) fn start(files: TlsFiles, metrics: Metrics) -> Result<Self, TlsError> {
        let read = Read::of(&files)?;
        let tls = Self { current: Arc::new(RwLock::new(Arc::new(read.config(&files)?))) };
        tokio::spawn(follow(files, read.digest(), Arc::downgrade(&tls.current), metrics));
        Ok(tls)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

async fn follow(
    files: TlsFiles,
    mut known: [u8; 32],
    current: std::sync::Weak<RwLock<Arc<ServerConfig>>>,
    metrics: Metrics,
) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // What was found wrong is said once.
    let mut said = String::new();
    loop {
        ticks.tick().await;
        let Some(current) = current.upgrade() else { return };
        let fresh = Read::of(&files).and_then(|read| {
            let digest = read.digest();
            if digest == known { Ok(None) } else { read.config(&files).map(|config| Some((digest, config))) }
        });
        match fresh {
            Ok(None) => said.clear(),
            Ok(Some((digest, config))) => {
                *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                known = digest;
                said.clear();
                metrics.certificates_read("read");
                tracing::info!("the certificates changed and were read again");
            }
            Err(error) => {
                let message = error.to_string();
                if said != message {
                    metrics.certificates_read("failed");
                    tracing::warn!(%error, "the certificates changed and are not usable: the last ones stay");
                    said = message;
                }
            }
        }
    }
}

/// The contents of the files.
struct Read {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Read {
    fn of(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| fs::read(path).map_err(|error| TlsError::Read { path: path.to_owned(), error });
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten() {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let chain = certificates(&self.certificate, &files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| unusable(&files.key, "it holds no private key in PEM"))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&files.certificate, &error.to_string()))?;
        let builder = match (&self.client_ca, &files.client_ca) {
            (Some(pem), Some(path)) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem, path)? {
                    roots.add(authority).map_err(|error| unusable(path, &error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|error| unusable(path, &error.to_string()))?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            unusable(&files.certificate, &format!("{error} (with the key `{}`)", files.key.display()))
        })?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // A resumed session would be let in by authorities that are no longer trusted.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| unusable(path, "it is not in PEM"))?;
    if certificates.is_empty() {
        return Err(unusable(path, "it holds no certificate in PEM"));
    }
    Ok(certificates)
}

fn unusable(path: &Path, reason: &str) -> TlsError {
    TlsError::Unusable { path: path.to_owned(), reason: reason.to_owned() }
}
