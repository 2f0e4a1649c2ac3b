//! Password hashes of bcrypt, which other systems make: they are verified, and no new ones are made.

use std::{
    hint::black_box,
    ops::Range,
    sync::atomic::{AtomicU32, Ordering},
};

use bcrypt::{BcryptError, HashParts};
use latchkey_domain::PasswordHash;

/// A hash in one of the forms that are computed alike: `$2a$`, `$2b$` and `$2y$`.
pub(crate) struct BcryptHash {
    text: Box<str>,
    cost: u32,
}

/// Why a stored hash of bcrypt cannot be read. The message does not repeat the hash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableBcrypt {
    #[error("the password hash is not a whole one of bcrypt")]
    Form,
    #[error("the password hash asks for the cost {0} of bcrypt, far more than any usual one")]
    Excessive(u32),
}

impl BcryptHash {
    /// The bytes of a password that bcrypt compares. It ignores the rest.
    pub(crate) const MAX_BYTES: usize = 72;
    /// The highest cost that is verified: about a second. 10 to 12 are usual.
    const MAX_COST: u32 = 14;

    /// Reads a hash; `None` if it is not one of bcrypt.
    ///
    /// # Errors
    /// [`UnreadableBcrypt`].
    pub(crate) fn parse(hash: &PasswordHash) -> Result<Option<Self>, UnreadableBcrypt> {
        if !hash.is_bcrypt() {
            return Ok(None);
        }
        let parts: HashParts = hash.0.parse().map_err(|_: BcryptError| UnreadableBcrypt::Form)?;
        match parts.get_cost() {
            cost if cost > Self::MAX_COST => Err(UnreadableBcrypt::Excessive(cost)),
            cost => Ok(Some(Self { text: hash.0.clone(), cost })),
        }
    }

    /// Whether it is the hash of this password; the comparison takes the same time for any two outputs.
    pub(crate) fn matches(&self, password: &[u8]) -> Result<bool, BcryptError> {
        bcrypt::verify(password, &self.text)
    }
}

/// The work that a wrong password costs on top, so that its time says nothing about the form of the account's hash.
///
/// The work of bcrypt doubles with each step of its cost. From the first hash of bcrypt on that this process meets, a wrong password
/// costs as much bcrypt as the highest cost that it has met, for any account and for none.
#[derive(Debug, Default)]
pub(crate) struct BcryptDecoys {
    highest: AtomicU32,
}

impl BcryptDecoys {
    /// Returns the costs of the additional hashes for a wrong password, beside this hash if it is one of bcrypt, and remembers
    /// its cost.
    pub(crate) fn costs(&self, verified: Option<&BcryptHash>) -> Range<u32> {
        match verified {
            // 2^c + 2^c + 2^(c + 1) + … + 2^(highest - 1) = 2^highest.
            Some(hash) => hash.cost..self.highest.fetch_max(hash.cost, Ordering::Relaxed).max(hash.cost),
            None => match self.highest.load(Ordering::Relaxed) {
                0 => 0..0,
                highest => highest..highest + 1,
            },
        }
    }
}

/// Hashes at each of these costs, for the time alone.
pub(crate) fn spend(costs: Range<u32>) {
    for cost in costs {
        black_box(bcrypt::bcrypt(cost, [0; 16], b"\0"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> Option<BcryptHash> {
        BcryptHash::parse(&PasswordHash(text.into())).expect("readable")
    }

    fn of_cost(cost: u32) -> BcryptHash {
        let text = format!("$2b${cost:02}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        hash(&text).expect("a hash of bcrypt")
    }

    #[test]
    fn a_wrong_password_costs_the_same_for_any_account() {
        let decoys = BcryptDecoys::default();
        assert_eq!(decoys.costs(None), 0..0, "there is no hash of bcrypt");
        let work = |costs: Range<u32>| costs.map(|cost| 1_u64 << cost).sum::<u64>();
        let mut highest = 0;
        for cost in [10, 4, 12, 11, 5] {
            let one = of_cost(cost);
            highest = highest.max(cost);
            assert_eq!(work(decoys.costs(Some(&one))) + (1 << cost), 1 << highest, "{cost} of {highest}");
            assert_eq!(work(decoys.costs(None)), 1 << highest);
        }
    }

    #[test]
    fn other_hashes_are_not_those_of_bcrypt() {
        for text in ["$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ", "$2x$10$abc", "", "hush"] {
            assert!(hash(text).is_none(), "{text}");
        }
    }
}
