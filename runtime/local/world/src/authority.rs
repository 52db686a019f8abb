//! An authority of certificates that lives as long as a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};

/// Two of them, whatever their names, never believe each other.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub certificate: String,
    pub key: String,
    /// The certificate of the authority that signed it.
    pub authority: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate can be signed");
        Self { issuer }
    }

    /// The authority's own certificate, as PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// For these names: DNS names, addresses, or URIs such as `spiffe://shop/beta`. It serves and it calls.
    pub fn leaf(&self, names: &[&str]) -> Leaf {
        self.sign(params(names))
    }

    /// The same, valid for one day long ago.
    pub fn expired_leaf(&self, names: &[&str]) -> Leaf {
        let mut params = params(names);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 2);
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Leaf {
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate can be signed");
        Leaf { certificate: certificate.pem(), key: key.serialize_pem(), authority: self.pem() }
    }
}

impl Leaf {
    /// `tls.crt`, `tls.key` and `ca.crt`, as a mesh's `folder` wants them, below a path.
    pub fn files(&self, below: impl AsRef<Path>) -> BTreeMap<PathBuf, Vec<u8>> {
        let file = |name: &str, text: &str| (below.as_ref().join(name), text.as_bytes().to_vec());
        [file("tls.crt", &self.certificate), file("tls.key", &self.key), file("ca.crt", &self.authority)].into()
    }

    /// Writes them, and makes the folder.
    pub fn write(&self, folder: &Path) {
        for (path, bytes) in self.files(folder) {
            std::fs::create_dir_all(folder).expect("a folder can be made");
            std::fs::write(path, bytes).expect("a file can be written");
        }
    }
}

/// ECDSA on P-256, which every TLS speaks.
fn key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}

fn params(names: &[&str]) -> CertificateParams {
    let (uris, others): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains("://"));
    let others: Vec<String> = others.into_iter().map(str::to_owned).collect();
    let mut params = CertificateParams::new(others).expect("names of certificates are ASCII");
    let uris = uris.into_iter().map(|uri| SanType::URI(uri.try_into().expect("URIs are ASCII")));
    params.subject_alt_names.extend(uris);
    params.distinguished_name.push(DnType::CommonName, *names.first().unwrap_or(&"nobody"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}
