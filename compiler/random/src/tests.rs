//! Random meshes are what they are said to be.

use spec::load::FileError;

use super::*;

struct Supplied;

impl Files for Supplied {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Ok(match path {
            "users.htpasswd" => b"ada:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\n".to_vec(),
            "clients.keys" => b"partner:4f1c9a7e6b2d8035\n".to_vec(),
            "login.jwks" => b"{\"keys\": []}".to_vec(),
            "filter.wasm" => b"\0asm\x01\0\0\0".to_vec(),
            "audit.json" => b"{}".to_vec(),
            _ => return Err(FileError::new(path, "no such file")),
        })
    }
}

#[test]
fn the_same_seed_makes_the_same_mesh() {
    let texts = [0, 0].map(|seed| mesh(seed, 20, &Supplied).unwrap().text);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn most_meshes_say_much_more_than_the_first() {
    let additions: usize = (0..20).map(|seed| mesh(seed, 40, &Supplied).unwrap().additions).sum();
    assert!(additions > 20 * 8, "{additions} of 800");
}
