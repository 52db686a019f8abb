//! Hashes that are slow to check: each credential is checked once, and wrong ones take a bounded share of a worker.

use subtle::Choice;

use sha2::{Digest, Sha256};

use super::credentials::Credentials;
use super::{BasicAuthConfig, PasswordHash};
use crate::{Bounded, Counter, Env, Key};

/// How many seconds' worth of wrong passwords can come at once.
const SAVED_SECONDS: u64 = 5;

/// At least so many right credentials are remembered, and at most.
const FEWEST_REMEMBERED: usize = 256;
const MOST_REMEMBERED: usize = 8192;

/// Wrong credentials that are remembered: those of clients that keep sending an old password.
const WRONG_REMEMBERED: usize = 256;

/// What is known of credentials, and what may still be spent on unknown ones.
pub(super) struct Slow {
    /// Drawn when it is first needed; remembered digests are worth nothing outside this virtual machine.
    secret: Option<Key>,
    right: Bounded<u64>,
    wrong: Bounded<u64>,
    /// Counts uses: what was used longest ago makes room.
    uses: u64,
    budget: Budget,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    Right,
    Wrong,
    /// Too many were wrong; so long until the next one is looked at.
    Throttled {
        seconds: u32,
    },
    NoMemory,
}

impl Slow {
    pub(super) fn new(config: &BasicAuthConfig) -> Slow {
        let slow = config.users.iter().filter(|user| user.hash.is_slow()).count();
        let remembered = slow.saturating_mul(2).clamp(FEWEST_REMEMBERED, MOST_REMEMBERED);
        Slow {
            secret: None,
            right: Bounded::new(remembered),
            wrong: Bounded::new(WRONG_REMEMBERED),
            uses: 0,
            budget: Budget::new(config.failure_micros_per_second),
        }
    }

    /// Whether a credential is right: a known user's, and the hash is that of its password. Of an unknown user as much
    /// is done as of a known one.
    pub(super) fn check(
        &mut self,
        hash: &PasswordHash,
        known: Choice,
        credentials: &Credentials,
        env: &mut dyn Env,
    ) -> Checked {
        self.uses = self.uses.saturating_add(1);
        let key = self.key(credentials, env);
        if let Some(used) = self.right.get_mut(&key) {
            *used = self.uses;
            return Checked::Right;
        }
        if let Some(used) = self.wrong.get_mut(&key) {
            *used = self.uses;
            return Checked::Wrong;
        }
        if let Err(seconds) = self.budget.is_left(env.monotonic_nanos()) {
            return Checked::Throttled { seconds };
        }
        env.count(Counter::BasicAuthSlowChecks);
        let Ok(same) = hash.verify(credentials.password()) else { return Checked::NoMemory };
        if (known & same).into() {
            self.right.insert(key, self.uses, |used| *used);
            return Checked::Right;
        }
        self.budget.spend(hash.check_micros());
        self.wrong.insert(key, self.uses, |used| *used);
        Checked::Wrong
    }

    fn key(&mut self, credentials: &Credentials, env: &mut dyn Env) -> Key {
        let secret = self.secret.get_or_insert_with(|| {
            let mut secret = Key::default();
            secret.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&env.random().to_le_bytes()));
            secret
        });
        let user = credentials.user();
        let length = u64::try_from(user.len()).unwrap_or(u64::MAX);
        let digest = Sha256::new().chain_update(*secret).chain_update(length.to_le_bytes());
        digest.chain_update(user).chain_update(credentials.password()).finalize().into()
    }
}

/// Never shows the secret.
impl core::fmt::Debug for Slow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Slow").field("budget", &self.budget).finish_non_exhaustive()
    }
}

/// Time that may be spent on wrong passwords. A check may overdraw it, which the next one waits for.
#[derive(Debug)]
struct Budget {
    micros_per_second: u64,
    /// Negative: overdrawn.
    left: i64,
    /// When it was last filled; none before the first use.
    filled: Option<u64>,
}

impl Budget {
    fn new(micros_per_second: u32) -> Budget {
        let micros_per_second = u64::from(micros_per_second);
        Budget { micros_per_second, left: signed(micros_per_second.saturating_mul(SAVED_SECONDS)), filled: None }
    }

    /// Whether anything is left, or after how many seconds there is.
    fn is_left(&mut self, now_nanos: u64) -> Result<(), u32> {
        let elapsed = now_nanos.saturating_sub(*self.filled.get_or_insert(now_nanos)) / 1000;
        let gained = elapsed.saturating_mul(self.micros_per_second) / 1_000_000;
        if gained > 0 {
            let most = signed(self.micros_per_second.saturating_mul(SAVED_SECONDS));
            self.left = self.left.saturating_add(signed(gained)).min(most);
            self.filled = Some(now_nanos);
        }
        if self.left > 0 {
            return Ok(());
        }
        let missing = self.left.unsigned_abs().saturating_add(1);
        let seconds = missing.checked_add(self.micros_per_second.saturating_sub(1));
        let seconds = seconds.and_then(|missing| missing.checked_div(self.micros_per_second));
        Err(u32::try_from(seconds.unwrap_or(u64::MAX)).unwrap_or(u32::MAX).max(1))
    }

    fn spend(&mut self, micros: u32) {
        self.left = self.left.saturating_sub(i64::from(micros));
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Budget;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn five_seconds_worth_comes_at_once_and_one_more_is_owed() {
        let mut budget = Budget::new(100_000);
        let mut checks = 0;
        while budget.is_left(SECOND).is_ok() {
            budget.spend(118_000);
            checks += 1;
        }
        assert_eq!(checks, 5);
        assert_eq!(budget.is_left(SECOND), Err(1));
        assert_eq!(budget.is_left(2 * SECOND), Ok(()));
        budget.spend(2_000_000);
        assert_eq!(budget.is_left(2 * SECOND), Err(20));
    }

    #[test]
    fn what_is_saved_is_bounded() {
        let mut budget = Budget::new(10);
        assert_eq!(budget.is_left(0), Ok(()));
        assert_eq!(budget.is_left(u64::MAX), Ok(()));
        assert_eq!(budget.left, 50);
    }

    #[test]
    fn often_asked_it_fills_all_the_same() {
        let mut budget = Budget::new(1000);
        assert_eq!(budget.is_left(0), Ok(()));
        budget.spend(5000);
        let first = (0..5000).find(|micros| budget.is_left(micros * 1000).is_ok());
        assert_eq!(first, Some(1000));
    }

    #[test]
    fn without_any_nothing_is_checked() {
        assert_eq!(Budget::new(0).is_left(SECOND), Err(u32::MAX));
    }
}
