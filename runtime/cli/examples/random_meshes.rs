//! Random meshes that `check` takes, shown to a real Envoy: `random_meshes [COUNT] [SEED] [ENVOY]`.
//!
//! Prints what Envoy refuses or warns about, with the seed; ends with 1 if there is any.

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::ProgressBar;
use meshwright::validate;
use spec::load::{FileError, Files};

/// What random meshes name.
struct Supplied;

impl Files for Supplied {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Ok(match path {
            "users.htpasswd" => b"ada:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n".to_vec(),
            "clients.keys" => b"partner:4f1c9a7e6b2d8035\n".to_vec(),
            "login.jwks" => JWKS.as_bytes().to_vec(),
            "filter.wasm" => artifacts::MODULE.to_vec(),
            "audit.json" => b"{\"rules\": []}".to_vec(),
            _ => return Err(FileError::new(path, "no such file")),
        })
    }
}

/// RFC 7517, A.1: a public key.
const JWKS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// Additions that are tried for each mesh.
const TRIES: usize = 40;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100);
    let first: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let named = arguments.next().map(PathBuf::from);
    let binary = match local::find(named.as_deref()) {
        Ok(binary) => binary,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(74);
        }
    };
    let (mut configurations, mut refused, mut warned, mut additions) = (0, 0, 0, 0);
    let bar = ProgressBar::new(count);
    for seed in first..first + count {
        let Some(mesh) = random::mesh(seed, TRIES, &Supplied) else {
            eprintln!("error: the first mesh is refused");
            return ExitCode::from(70);
        };
        additions += mesh.additions;
        match validate::every_proxy(&binary, &mesh.checked, &ProgressBar::hidden()) {
            Ok((verdicts, proxies)) => {
                configurations += proxies;
                for verdict in verdicts {
                    refused += usize::from(verdict.refused.is_some());
                    warned += usize::from(!verdict.warnings.is_empty());
                    let said = verdict.refused.into_iter().chain(verdict.warnings).collect::<Vec<_>>().join("\n  ");
                    bar.suspend(|| println!("seed {seed}, `{}`:\n  {said}", verdict.name));
                }
            }
            Err(exit) => {
                eprintln!("error: {:#}", exit.error);
                return ExitCode::from(74);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!(
        "{count} meshes with {additions} additions, {configurations} configurations: {refused} refused, {warned} with warnings"
    );
    ExitCode::from(u8::from(refused + warned > 0))
}
