//! The files that random meshes name.

use spec::load::{FileError, Files};

/// In memory; the module is the caller's, so that it can be one that Envoy starts.
#[derive(Clone, Copy, Debug)]
pub struct Supplied {
    pub module: &'static [u8],
}

impl Files for Supplied {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Ok(match path {
            "users.htpasswd" => b"ada:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n".to_vec(),
            "users.groups" => b"staff: ada\n".to_vec(),
            "clients.keys" => b"partner:4f1c9a7e6b2d8035\n".to_vec(),
            "clients.secrets" => b"partner:0123456789abcdef0123456789abcdef\n".to_vec(),
            "login.jwks" => JWKS.as_bytes().to_vec(),
            "filter.wasm" => self.module.to_vec(),
            "audit.json" => b"{\"rules\": []}".to_vec(),
            _ => return Err(FileError::new(path, "no such file")),
        })
    }
}

/// RFC 7517, A.1: a public key.
const JWKS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
