//! Hashes that other programs made are understood, and damaged ones are refused.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{BasicAuth, BasicAuthConfig, BasicAuthUser, HttpPolicy, InvalidPasswordHash, PasswordHash};

const HASHES: &str = include_str!("../testdata/password-hashes.txt");

fn vectors() -> impl Iterator<Item = (Vec<u8>, &'static str)> {
    HASHES.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (password, hash) = line.split_once(' ').expect("a password and a hash");
        let digits = password.trim_matches('-').as_bytes().chunks(2);
        let bytes = digits.map(|digits| u8::from_str_radix(std::str::from_utf8(digits).expect("ASCII"), 16));
        (bytes.collect::<Result<_, _>>().expect("hexadecimal"), hash)
    })
}

fn only_user(hash: PasswordHash) -> BasicAuth {
    BasicAuth::new(BasicAuthConfig {
        realm: "shop".to_owned(),
        users: vec![BasicAuthUser { name: "ada".to_owned(), hash, groups: Vec::new() }],
        rules: Vec::new(),
        forward_user_header: None,
        hide: false,
        cors_preflight: false,
        failure_micros_per_second: 1_000_000,
    })
}

fn passes(policy: &mut BasicAuth, user: &str, password: &[u8]) -> bool {
    let credentials = STANDARD.encode([user.as_bytes(), b":", password].concat());
    let request = vec![(b"authorization".to_vec(), format!("Basic {credentials}").into_bytes())];
    matches!(run(policy, &Case { request, repeat: 1, ..Case::default() }).end, End::Forwarded { .. })
}

#[test]
fn every_program_s_hash_lets_its_password_pass_and_no_other() {
    let mut formats = BTreeMap::new();
    for (password, text) in vectors() {
        let hash = PasswordHash::parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
        *formats.entry(hash.format()).or_insert(0) += 1;
        let mut policy = only_user(hash);
        assert!(passes(&mut policy, "ada", &password), "{text}");
        assert!(passes(&mut policy, "ada", &password), "{text}, the second time");
        assert!(!passes(&mut policy, "ida", &password), "{text}");
        let mut wrong = password.clone();
        match wrong.first_mut() {
            Some(first) => *first ^= 1,
            None => wrong.push(b'x'),
        }
        assert!(!passes(&mut policy, "ada", &wrong), "{text}");
    }
    assert!(formats.len() >= 9 && formats.values().all(|vectors| *vectors >= 20), "{formats:?}");
}

#[test]
fn bcrypt_looks_at_72_bytes() {
    let hash = PasswordHash::parse("$2y$04$c32SONGzAazNtVUP0ssCE.ArF9O0HZVrgcFAncXKBw/1QONIz4HHO");
    assert!(hash.is_ok());
    let (password, text) =
        vectors().find(|(password, text)| password.len() == 72 && text.starts_with("$2")).expect("one");
    let mut policy = only_user(PasswordHash::parse(text).expect("a hash"));
    assert!(passes(&mut policy, "ada", &[&password[..], b" and more"].concat()));
}

#[test]
fn a_password_that_would_take_seconds_is_only_wrong() {
    for (_, text) in vectors().filter(|(_, text)| text.starts_with("$6$")).take(1) {
        let mut policy = only_user(PasswordHash::parse(text).expect("a hash"));
        assert!(!passes(&mut policy, "ada", &[b'x'; 60_000]));
    }
}

#[test]
fn a_hash_survives_its_text() {
    for (_, text) in vectors() {
        let hash = PasswordHash::parse(text).expect("a hash");
        assert_eq!(hash.to_htpasswd(), text);
        assert!(!format!("{hash:?}").contains(&text[text.len() - 8..]));
    }
}

/// Of each format the first hash, with anything cut off its end, or one more character.
#[test]
fn a_hash_of_another_length_is_damaged() {
    let mut known = BTreeMap::new();
    for (_, text) in vectors() {
        known.entry(PasswordHash::parse(text).expect("a hash").format()).or_insert(text);
    }
    for text in known.values() {
        for end in 0..text.len() {
            // Base64 of fewer bytes of an SSHA salt or of a PBKDF2 or argon2 digest is a hash as well.
            let may_be = text.starts_with("{SSHA}") || text.contains("pbkdf2") || text.contains("argon2");
            assert!(may_be || PasswordHash::parse(&text[..end]).is_err(), "{end} of {text}");
        }
        assert!(PasswordHash::parse(&format!("{text}!")).is_err(), "{text}!");
    }
}

#[test]
fn what_would_block_a_worker_or_fill_its_memory_is_refused() {
    let salted =
        |parameters: &str| format!("{parameters}$GoMQAoBQqlUKodT6f69Vyg$H7xpdq6dHuabG85PDb7MorZBHzLpk6u7u2vRPaJ5+zs");
    let refused = |text: &str| PasswordHash::parse(text).err();
    assert_eq!(refused(&salted("$argon2id$v=19$m=65536,t=1,p=4")), Some(InvalidPasswordHash::TooLarge(65536)));
    assert_eq!(refused(&salted("$argon2id$v=19$m=20480,t=3,p=1")), None);
    for slow in ["$argon2id$v=19$m=1024,t=4294967295,p=1", "$pbkdf2-sha256$4294967295", "$pbkdf2-sha512$i=10000000"] {
        assert!(matches!(refused(&salted(slow)), Some(InvalidPasswordHash::TooSlow(_))), "{slow}");
    }
    let bcrypt = |cost| refused(&format!("$2y${cost}$c32SONGzAazNtVUP0ssCE.ArF9O0HZVrgcFAncXKBw/1QONIz4HHO"));
    assert_eq!(bcrypt("14"), None);
    assert_eq!(bcrypt("15"), Some(InvalidPasswordHash::TooSlow(3776)));
    assert!(matches!(bcrypt("31"), Some(InvalidPasswordHash::TooSlow(_))));
    for damaged in ["03", "32", "99", "4", "+4", " 4"] {
        assert_eq!(bcrypt(damaged), Some(InvalidPasswordHash::Damaged), "{damaged}");
    }
    for parameters in [
        "$argon2id$v=19$m=7,t=1,p=1",
        "$argon2id$v=19$m=64,t=0,p=1",
        "$argon2id$v=19$m=64,t=1,p=0",
        "$argon2id$v=19$m=64,t=1,p=16777216",
        "$argon2id$v=18$m=64,t=1,p=1",
        "$argon2id$v=19$t=1,m=64,p=1",
        "$argon2id$v=19$m=064,t=1,p=1",
        "$argon2id$v=19$m=64,t=1,p=1,keyid=eA",
        "$pbkdf2-sha256$0",
        "$pbkdf2-sha256$-1",
        "$pbkdf2-sha256$i=1,l=31",
        "$pbkdf2-sha256$",
    ] {
        assert_eq!(refused(&salted(parameters)), Some(InvalidPasswordHash::Damaged), "{parameters}");
    }
}
