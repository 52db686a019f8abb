//! Certificates towards the control plane, read from their files whenever a connection is made.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// Where certificates are. Files may change at any time.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Who is believed.
    pub authority: PathBuf,
    /// Who we are: chain and key.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name in the control plane's certificate; by default that of its address.
    pub server_name: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {source}")]
pub struct TlsError {
    pub path: PathBuf,
    pub source: io::Error,
}

pub(super) type Digest = [u8; 32];

impl Tls {
    pub(super) async fn read(&self, server: &str) -> Result<(ClientTlsConfig, Digest), TlsError> {
        let mut hasher = Sha256::new();
        let authority = read(&self.authority, &mut hasher).await?;
        let name = self.server_name.clone().unwrap_or_else(|| host(server).to_owned());
        let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority)).domain_name(name);
        if let Some((chain, key)) = &self.identity {
            let chain = read(chain, &mut hasher).await?;
            let key = read(key, &mut hasher).await?;
            config = config.identity(Identity::from_pem(chain, key));
        }
        Ok((config, hasher.finalize().into()))
    }

    pub(super) async fn digest(&self) -> Result<Digest, TlsError> {
        let mut hasher = Sha256::new();
        read(&self.authority, &mut hasher).await?;
        if let Some((chain, key)) = &self.identity {
            read(chain, &mut hasher).await?;
            read(key, &mut hasher).await?;
        }
        Ok(hasher.finalize().into())
    }
}

async fn read(path: &Path, hasher: &mut Sha256) -> Result<Vec<u8>, TlsError> {
    let bytes = tokio::fs::read(path).await.map_err(|source| TlsError { path: path.to_owned(), source })?;
    hasher.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(&bytes);
    Ok(bytes)
}

/// Of `host:port` or `[address]:port`.
fn host(server: &str) -> &str {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
