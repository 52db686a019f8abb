//! Finds a user by name, at the same cost whoever is asked for.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::BasicAuthUser;

type Tag = [u8; 32];

/// Users by the digests of their names: comparing digests tells nobody how a name begins or how long it is.
#[derive(Debug)]
pub(super) struct Users {
    /// Ordered by their tags.
    users: Vec<(Tag, BasicAuthUser)>,
    /// Made of all hashes, so that nobody outside can make a tag.
    salt: Tag,
}

impl Users {
    pub(super) fn new(users: Vec<BasicAuthUser>) -> Users {
        let mut hashes = Sha256::new();
        for user in &users {
            hashes.update(user.name.as_bytes());
            hashes.update([0]);
            hashes.update(user.hash.to_htpasswd().as_bytes());
            hashes.update([0]);
        }
        let salt = hashes.finalize().into();
        let mut users: Vec<_> = users.into_iter().map(|user| (tag(&salt, user.name.as_bytes()), user)).collect();
        sort(&mut users);
        Users { users, salt }
    }

    /// The user with a name. For an unknown one a user whose password is to be checked all the same: always the same
    /// user, and any of them, so that neither time nor the format of a hash tells who is known. None if there are none.
    pub(super) fn find(&self, name: &[u8]) -> Option<(Choice, &BasicAuthUser)> {
        let wanted = tag(&self.salt, name);
        let count = u32::try_from(self.users.len()).unwrap_or(u32::MAX);
        let stand_in = last(&wanted).checked_rem(count)?;
        // As many steps and the same ones, whatever is compared: the last place whose tag is not above.
        let mut place = 0_u32;
        let mut left = count;
        while left > 1 {
            let half = left / 2;
            let middle = place.saturating_add(half);
            let is_above = self.tag_at(middle).is_none_or(|tag| first(tag) > first(&wanted));
            place.conditional_assign(&middle, Choice::from(u8::from(!is_above)));
            left = left.saturating_sub(half);
        }
        let known = self.tag_at(place).map_or(Choice::from(0), |tag| tag.ct_eq(&wanted));
        let chosen = u32::conditional_select(&stand_in, &place, known);
        let (_, user) = self.users.get(usize::try_from(chosen).ok()?)?;
        Some((known, user))
    }

    fn tag_at(&self, place: u32) -> Option<&Tag> {
        self.users.get(usize::try_from(place).ok()?).map(|(tag, _)| tag)
    }
}

/// A heap sort: those of the standard library are a tenth of the module.
fn sort(users: &mut [(Tag, BasicAuthUser)]) {
    for root in (0..users.len() / 2).rev() {
        sift_down(users, root);
    }
    for end in (1..users.len()).rev() {
        users.swap(0, end);
        sift_down(users.get_mut(..end).unwrap_or_default(), 0);
    }
}

/// Moves the user at the root down until nobody below has a higher tag.
fn sift_down(users: &mut [(Tag, BasicAuthUser)], mut root: usize) {
    loop {
        let left = root.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let tag = |place: usize| users.get(place).map(|(tag, _)| tag);
        let highest = if tag(right) > tag(left) { right } else { left };
        if tag(highest) <= tag(root) {
            return;
        }
        users.swap(root, highest);
        root = highest;
    }
}

fn tag(salt: &Tag, name: &[u8]) -> Tag {
    Sha256::new().chain_update(salt).chain_update(name).finalize().into()
}

/// What orders tags. Two with the same are never met: they would be two digests with 64 equal bits.
fn first(tag: &Tag) -> u64 {
    tag.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn last(tag: &Tag) -> u32 {
    tag.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::borrow::ToOwned;
    use std::format;
    use std::vec::Vec;

    use super::{BasicAuthUser, Users};
    use crate::PasswordHash;

    fn users(count: u32) -> Users {
        let user = |number: u32| {
            let name = format!("user-{number}");
            let hash = PasswordHash::of_password(name.as_bytes(), b"");
            BasicAuthUser { name, hash, groups: Vec::new() }
        };
        Users::new((0..count).map(user).collect())
    }

    #[test]
    fn every_user_is_found_by_the_name_alone() {
        for count in [1, 2, 3, 7, 8, 9, 1000] {
            let users = users(count);
            for number in 0..count {
                let name = format!("user-{number}");
                let (known, user) = users.find(name.as_bytes()).unwrap();
                assert!(bool::from(known), "{name} of {count}");
                assert_eq!(user.name, name);
            }
            for stranger in ["", "user-", "user-01", "mallory", "User-0"] {
                assert!(!bool::from(users.find(stranger.as_bytes()).unwrap().0), "{stranger} of {count}");
            }
        }
    }

    #[test]
    fn a_stranger_always_stands_before_the_same_user_and_strangers_before_all() {
        let users = users(8);
        let mut stands = Vec::new();
        for number in 0..200 {
            let name = format!("stranger-{number}");
            let stand_in = users.find(name.as_bytes()).unwrap().1.name.to_owned();
            assert_eq!(users.find(name.as_bytes()).unwrap().1.name, stand_in);
            stands.push(stand_in);
        }
        stands.sort_unstable();
        stands.dedup();
        assert_eq!(stands.len(), 8);
    }

    #[test]
    fn nobody_is_found_among_none() {
        assert!(users(0).find(b"user-0").is_none());
    }
}
