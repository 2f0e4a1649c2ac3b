//! Passwords, hashed with Argon2id; hashes of bcrypt are verified too.

use std::{fmt, sync::Arc};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, Version,
    password_hash::{
        self,
        phc::{self, Output, Salt},
    },
};
use async_trait::async_trait;
use latchkey_domain::{Password, PasswordHash};
use latchkey_ports::{Entropy, EntropyExt as _, HashingError, PasswordHasher};
use zeroize::Zeroizing;

use crate::{
    bcrypt_hash::{BcryptDecoys, BcryptHash, spend},
    hashing_turns::{Turns, failed},
};

/// How expensive a hash is to compute, for the server and for an attacker that guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cost {
    /// 19 MiB, two passes, one lane: the minimum of OWASP's Password Storage Cheat Sheet. The only one to use outside
    /// tests.
    #[default]
    Standard,
    /// The minimum of Argon2: no protection, for tests that would otherwise spend their time on passwords.
    Least,
}

impl Cost {
    #[expect(clippy::expect_used, reason = "both are within the bounds of Argon2")]
    fn params(self) -> Params {
        let (memory_kib, passes) = match self {
            Self::Standard => (19_456, 2),
            Self::Least => (Params::MIN_M_COST, Params::MIN_T_COST),
        };
        Params::new(memory_kib, passes, 1, None).expect("within the bounds")
    }
}

/// Hashes passwords with Argon2id, as PHC strings, each with a salt of its own.
///
/// The work is done on the blocking threads of the caller's tokio runtime, by as many at once as there are cores; other
/// calls wait for their turn. A hash made at another cost is verified at the cost that it names, and one of bcrypt by bcrypt
/// (decision 41). The memory of a hash is freed when it is done (decision 22).
pub struct Argon2Hasher {
    cost: Cost,
    entropy: Arc<dyn Entropy>,
    turns: Turns,
    /// The hash that a password is verified against if the account has none: random bytes in the form of a hash. No
    /// password is known for it, and verifying takes as long as for any other hash.
    decoy: StoredHash,
    bcrypt_decoys: BcryptDecoys,
}

/// A stored hash that is readable.
enum ReadHash {
    Argon2(StoredHash),
    Bcrypt(BcryptHash),
}

/// The parts of a PHC string.
#[derive(Clone)]
struct StoredHash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

/// Why a stored hash cannot be read. The message does not repeat the hash, which could be attacked offline.
#[derive(Debug, thiserror::Error)]
enum UnreadableHash {
    #[error("the password hash is not a PHC string ({0})")]
    Form(phc::Error),
    #[error("the password hash is not one of Argon2, or has unknown parameters ({0})")]
    Parameters(password_hash::Error),
    #[error("the password hash has no salt or no output")]
    Incomplete,
    #[error("the password hash asks for {0} KiB of memory and {1} passes, far more than any made here")]
    Excessive(u32, u32),
}

impl Argon2Hasher {
    /// Returns a hasher at today's cost.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self::with_cost(Cost::Standard, entropy)
    }

    /// Returns a hasher at this cost, for tests. Programs use [`Argon2Hasher::new`].
    pub fn with_cost(cost: Cost, entropy: Arc<dyn Entropy>) -> Self {
        let decoy = StoredHash::decoy(cost, &*entropy);
        let bcrypt_decoys = BcryptDecoys::default();
        Self { cost, entropy, turns: Turns::for_each_core(), decoy, bcrypt_decoys }
    }
}

impl Argon2Hasher {
    async fn hash_text(&self, text: &str) -> Result<PasswordHash, HashingError> {
        let text = Zeroizing::new(text.to_owned());
        let salt = StoredHash::new_salt(&*self.entropy);
        let params = self.cost.params();
        let kept = self.turns.take(move || StoredHash::of(text.as_bytes(), salt, params));
        Ok(kept.await?.map_err(failed)?.to_phc())
    }
}

/// Shows the cost alone.
impl fmt::Debug for Argon2Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Hasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashingError> {
        self.hash_text(password.reveal()).await
    }

    async fn verify(&self, text: &str, hash: Option<PasswordHash>) -> Result<bool, HashingError> {
        let hash = hash.map(|hash| ReadHash::parse(&hash)).transpose()?;
        let costs = self.bcrypt_decoys.costs(match &hash {
            Some(ReadHash::Bcrypt(hash)) => Some(hash),
            _ => None,
        });
        let (text, decoy) = (Zeroizing::new(text.to_owned()), self.decoy.clone());
        let verify = move || {
            let text = text.as_bytes();
            let (matches, has_decoy) = match hash {
                Some(ReadHash::Argon2(hash)) => (hash.matches(text).map_err(failed)?, false),
                Some(ReadHash::Bcrypt(hash)) => (hash.matches(text).map_err(failed)?, true),
                None => (false, true),
            };
            if !matches {
                // A wrong password costs the same for any account and for none.
                if has_decoy {
                    decoy.matches(text).map_err(failed)?;
                }
                spend(costs);
            }
            Ok(matches)
        };
        self.turns.take(verify).await?
    }

    async fn upgrade(&self, text: &str, hash: &PasswordHash) -> Result<Option<PasswordHash>, HashingError> {
        let stays = match ReadHash::parse(hash)? {
            ReadHash::Argon2(made) => made.is_at_least(&self.cost.params()),
            // What follows the bytes that bcrypt compares may be anything, and would become part of the password.
            ReadHash::Bcrypt(_) => text.len() > BcryptHash::MAX_BYTES,
        };
        if stays { Ok(None) } else { self.hash_text(text).await.map(Some) }
    }
}

impl ReadHash {
    fn parse(hash: &PasswordHash) -> Result<Self, HashingError> {
        match BcryptHash::parse(hash).map_err(failed)? {
            Some(hash) => Ok(Self::Bcrypt(hash)),
            None => StoredHash::parse(hash).map(Self::Argon2).map_err(failed),
        }
    }
}

impl StoredHash {
    const SALT_BYTES: usize = Salt::RECOMMENDED_LENGTH;
    const OUTPUT_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;
    /// Limits on what a stored hash may ask for: far above what one needs, and far below what would exhaust the memory
    /// or occupy a core for long.
    const MAX_KIB: u32 = 256 * 1_024;
    const MAX_PASSES: u32 = 64;

    #[expect(clippy::expect_used, reason = "the length is the one that Argon2 makes by default")]
    fn decoy(cost: Cost, entropy: &dyn Entropy) -> Self {
        let output = Output::new(&entropy.bytes::<{ Self::OUTPUT_BYTES }>()).expect("a good length");
        Self::new(Self::new_salt(entropy), cost.params(), output)
    }

    #[expect(clippy::expect_used, reason = "the length is the recommended one")]
    fn new_salt(entropy: &dyn Entropy) -> Salt {
        Salt::new(&entropy.bytes::<{ Self::SALT_BYTES }>()).expect("a good length")
    }

    fn of(password: &[u8], salt: Salt, params: Params) -> Result<Self, argon2::Error> {
        let mut output = Zeroizing::new([0; Self::OUTPUT_BYTES]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        argon2.hash_password_into(password, &salt, &mut *output)?;
        let output = Output::new(&*output).map_err(|_| argon2::Error::OutputTooLong)?;
        Ok(Self::new(salt, params, output))
    }

    fn new(salt: Salt, params: Params, output: Output) -> Self {
        Self { algorithm: Algorithm::Argon2id, version: Version::V0x13, params, salt, output }
    }

    fn parse(hash: &PasswordHash) -> Result<Self, UnreadableHash> {
        let hash = phc::PasswordHash::new(&hash.0).map_err(UnreadableHash::Form)?;
        let algorithm = hash.algorithm.as_str().try_into().map_err(UnreadableHash::Parameters)?;
        let version = hash.version.map(Version::try_from).transpose();
        let version = version.map_err(|error| UnreadableHash::Parameters(error.into()))?.unwrap_or_default();
        let params = Params::try_from(&hash).map_err(UnreadableHash::Parameters)?;
        if params.m_cost() > Self::MAX_KIB || params.t_cost() > Self::MAX_PASSES {
            return Err(UnreadableHash::Excessive(params.m_cost(), params.t_cost()));
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(UnreadableHash::Incomplete);
        };
        Ok(Self { algorithm, version, params, salt, output })
    }

    /// Whether it costs as much memory, and as much work, as a hash with these parameters.
    fn is_at_least(&self, params: &Params) -> bool {
        let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
        matches!((self.algorithm, self.version), (Algorithm::Argon2id, Version::V0x13))
            && self.params.m_cost() >= params.m_cost()
            && work(&self.params) >= work(params)
    }

    fn to_phc(&self) -> PasswordHash {
        let Self { version, params, salt, output, .. } = self;
        let version = u32::from(*version);
        PasswordHash(format!("${ARGON2ID_IDENT}$v={version}${params}${salt}${output}").into())
    }

    /// Whether it is the hash of this password; the comparison takes the same time for any two outputs.
    fn matches(&self, password: &[u8]) -> Result<bool, argon2::Error> {
        let mut buffer = Zeroizing::new([0; Output::MAX_LENGTH]);
        let Some(output) = buffer.get_mut(..self.output.len()) else {
            return Ok(false);
        };
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        argon2.hash_password_into(password, &self.salt, output)?;
        Ok(Output::new(output).is_ok_and(|output| output == self.output))
    }
}

#[cfg(test)]
mod tests;
