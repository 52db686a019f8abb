//! Slow hashes are checked once for each credential, and wrong passwords take a bounded share of a worker.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshwright_policy::{
    BasicAuth, BasicAuthConfig, BasicAuthUser, Counter, Env, HeaderList, HttpPolicy, PasswordHash, Shared, Verdict,
};

/// Of `secret`: 1.8 ms by estimate.
const BCRYPT_4: &str = "$2y$04$";

struct World {
    nanos: u64,
    slow_checks: usize,
    draws: u64,
}

impl Env for World {
    fn random(&mut self) -> u64 {
        self.draws += 1;
        self.draws
    }

    fn unix_nanos(&mut self) -> u64 {
        0
    }

    fn monotonic_nanos(&mut self) -> u64 {
        self.nanos
    }

    fn count(&mut self, counter: Counter) {
        self.slow_checks += usize::from(counter == Counter::BasicAuthSlowChecks);
    }

    fn held(&mut self) -> u64 {
        0
    }

    fn shared(&mut self, _: &[u8]) -> Option<Shared> {
        None
    }

    fn share(&mut self, _: &[u8], _: &[u8], _: u32) -> bool {
        false
    }
}

fn world() -> World {
    World { nanos: 1, slow_checks: 0, draws: 0 }
}

fn bcrypt_4() -> PasswordHash {
    let hashes = include_str!("../testdata/password-hashes.txt").lines();
    let (_, text) = hashes
        .filter_map(|line| line.split_once(' '))
        .find(|(password, hash)| *password == "736563726574" && hash.starts_with(BCRYPT_4))
        .expect("a hash of `secret`");
    PasswordHash::parse(text).expect("a hash")
}

fn policy(failure_micros_per_second: u32) -> BasicAuth {
    let user = |name: &str| BasicAuthUser { name: name.to_owned(), hash: bcrypt_4(), groups: Vec::new() };
    BasicAuth::new(BasicAuthConfig {
        realm: "shop".to_owned(),
        users: vec![user("ada"), user("bob")],
        rules: Vec::new(),
        forward_user_header: None,
        hide: false,
        cors_preflight: false,
        failure_micros_per_second,
    })
}

/// The status of the answer, 200 where the request passes, and what it says about coming again.
fn send(policy: &mut BasicAuth, world: &mut World, credentials: &str) -> (u16, Option<String>) {
    let value = format!("Basic {}", STANDARD.encode(credentials)).into_bytes();
    match policy.on_request(&mut HeaderList::from_wire([(b"authorization".to_vec(), value)]), world) {
        Verdict::Continue(_) => (200, None),
        Verdict::Respond(reply) => {
            let retry = reply.headers.into_iter().find(|(name, _)| name == "retry-after");
            (reply.status, retry.map(|(_, value)| value))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_right_password_is_checked_once() {
    let (mut policy, mut world) = (policy(100_000), world());
    for _ in 0..100 {
        assert_eq!(send(&mut policy, &mut world, "ada:secret").0, 200);
    }
    assert_eq!(world.slow_checks, 1);
    assert_eq!(send(&mut policy, &mut world, "bob:secret").0, 200);
    assert_eq!(world.slow_checks, 2);
}

#[test]
fn a_wrong_password_that_is_sent_again_and_again_is_checked_once() {
    let (mut policy, mut world) = (policy(100_000), world());
    for _ in 0..1000 {
        assert_eq!(send(&mut policy, &mut world, "ada:old secret").0, 401);
        assert_eq!(send(&mut policy, &mut world, "stranger:secret").0, 401);
    }
    assert_eq!(world.slow_checks, 2);
}

#[test]
fn wrong_passwords_take_no_more_than_their_share_of_the_time() {
    let (mut policy, mut world) = (policy(10_000), world());
    assert_eq!(send(&mut policy, &mut world, "bob:secret").0, 200);
    let second = 1_000_000_000;
    let (mut refused, mut throttled) = (0, 0);
    // A hundred guesses a second for a minute.
    for guess in 0..6000 {
        world.nanos += second / 100;
        match send(&mut policy, &mut world, &format!("ada:guess {guess}")) {
            (401, None) => refused += 1,
            (429, Some(seconds)) => {
                assert_eq!(seconds, "1");
                throttled += 1;
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(send(&mut policy, &mut world, "bob:secret").0, 200, "who is known passes all the while");
    }
    assert_eq!(refused + throttled, 6000);
    // 10 ms of each of 65 seconds, by 1.843 ms, and the one that overdraws.
    assert!((345..=355).contains(&refused), "{refused}");
    assert_eq!(world.slow_checks, refused + 1);
}

#[test]
fn who_was_throttled_is_heard_later() {
    let (mut policy, mut world) = (policy(1), world());
    assert_eq!(send(&mut policy, &mut world, "ada:wrong").0, 401);
    let (status, retry) = send(&mut policy, &mut world, "ada:secret");
    assert_eq!((status, retry.as_deref()), (429, Some("1839")));
    world.nanos += 1839 * 1_000_000_000;
    assert_eq!(send(&mut policy, &mut world, "ada:secret").0, 200);
}

#[test]
fn what_is_remembered_is_bounded_and_guesses_drive_out_no_right_password() {
    let (mut policy, mut world) = (policy(u32::MAX), world());
    assert_eq!(send(&mut policy, &mut world, "ada:secret").0, 200);
    for guess in 0..600 {
        send(&mut policy, &mut world, &format!("ada:guess {guess}"));
    }
    let before = world.slow_checks;
    assert_eq!(send(&mut policy, &mut world, "ada:secret").0, 200);
    assert_eq!(world.slow_checks, before);
}
