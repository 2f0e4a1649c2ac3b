//! Passwords, hashed with Argon2id.

use std::{fmt, sync::Arc};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{self, Output, Salt},
    },
};
use async_trait::async_trait;
use latchkey_domain::{Password, PasswordHash};
use latchkey_ports::{Entropy, EntropyExt as _, HashingError, PasswordHasher};
use zeroize::Zeroizing;

use crate::hashing_turns::{Area, Turns, failed};

/// How dear a hash is to somebody who tries passwords out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cost {
    /// 19 MiB, two passes, one lane: what OWASP's Password Storage Cheat Sheet asks for at least. The only one to use
    /// outside tests.
    #[default]
    Standard,
    /// The least that Argon2 knows: no protection, for tests that would else spend their time on passwords.
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
/// The work is done on the blocking threads of the caller's tokio runtime, by as many at once as there are cores; others
/// wait for their turn. A hash made at another cost is verified at the cost that it names.
pub struct Argon2Hasher {
    cost: Cost,
    entropy: Arc<dyn Entropy>,
    turns: Turns,
    /// What a password is verified against where there is no hash: random bytes in the form of one. Nobody knows a
    /// password for it, and to find that out takes as long as for any other.
    nobody: Kept,
}

/// A hash as it is kept, taken apart.
#[derive(Clone)]
struct Kept {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

/// Why what is kept of a password cannot be read. It does not repeat it: it can be attacked offline.
#[derive(Debug, thiserror::Error)]
enum UnreadableHash {
    #[error("the password's hash is no PHC string ({0})")]
    Form(phc::Error),
    #[error("the password's hash is none of Argon2, or of parameters that it does not know ({0})")]
    Parameters(password_hash::Error),
    #[error("the password's hash has no salt, or nothing after it")]
    Incomplete,
    #[error("the password's hash asks for {0} KiB of memory and {1} passes, far more than any made here")]
    Excessive(u32, u32),
}

impl Argon2Hasher {
    /// A hasher for passwords that somebody relies on, which takes its salts from there.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self::with_cost(Cost::Standard, entropy)
    }

    /// A hasher that makes hashes at this cost: for tests. Programs take [`Argon2Hasher::new`].
    #[must_use]
    pub fn with_cost(cost: Cost, entropy: Arc<dyn Entropy>) -> Self {
        let nobody = Kept::nobodys(cost, &*entropy);
        Self { cost, entropy, turns: Turns::for_each_core(), nobody }
    }
}

/// What it does, and no hash.
impl fmt::Debug for Argon2Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Hasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashingError> {
        let password = password.clone();
        let salt = Kept::new_salt(&*self.entropy);
        let params = self.cost.params();
        let kept = self.turns.take(move |area| Kept::of(password.reveal().as_bytes(), salt, params, area));
        Ok(kept.await?.map_err(failed)?.to_phc())
    }

    async fn verify(&self, text: &str, hash: Option<PasswordHash>) -> Result<bool, HashingError> {
        let (kept, exists) = match hash {
            Some(hash) => (Kept::parse(&hash).map_err(failed)?, true),
            None => (self.nobody.clone(), false),
        };
        let text = Zeroizing::new(text.to_owned());
        let matches = self.turns.take(move |area| kept.matches(text.as_bytes(), area));
        Ok(matches.await?.map_err(failed)? && exists)
    }
}

impl Kept {
    const SALT_BYTES: usize = Salt::RECOMMENDED_LENGTH;
    const OUTPUT_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;
    /// Far above what a hash needs, and far below what ends a process or keeps a core for good.
    const MAX_KIB: u32 = 256 * 1_024;
    /// As [`Kept::MAX_KIB`].
    const MAX_PASSES: u32 = 64;

    #[expect(clippy::expect_used, reason = "the length is the one that Argon2 makes by default")]
    fn nobodys(cost: Cost, entropy: &dyn Entropy) -> Self {
        let output = Output::new(&entropy.bytes::<{ Self::OUTPUT_BYTES }>()).expect("a good length");
        Self::new(Self::new_salt(entropy), cost.params(), output)
    }

    #[expect(clippy::expect_used, reason = "the length is the recommended one")]
    fn new_salt(entropy: &dyn Entropy) -> Salt {
        Salt::new(&entropy.bytes::<{ Self::SALT_BYTES }>()).expect("a good length")
    }

    fn of(password: &[u8], salt: Salt, params: Params, area: &mut Area) -> Result<Self, argon2::Error> {
        let mut output = Zeroizing::new([0; Self::OUTPUT_BYTES]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        fill(&argon2, password, &salt, &mut *output, area)?;
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

    fn to_phc(&self) -> PasswordHash {
        let Self { version, params, salt, output, .. } = self;
        let version = u32::from(*version);
        PasswordHash(format!("${ARGON2ID_IDENT}$v={version}${params}${salt}${output}").into())
    }

    /// Whether it is the hash of this password; the comparison takes the same time for any two outputs.
    fn matches(&self, password: &[u8], area: &mut Area) -> Result<bool, argon2::Error> {
        let mut buffer = Zeroizing::new([0; Output::MAX_LENGTH]);
        let Some(output) = buffer.get_mut(..self.output.len()) else {
            return Ok(false);
        };
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        fill(&argon2, password, &self.salt, output, area)?;
        Ok(Output::new(output).is_ok_and(|output| output == self.output))
    }
}

/// Computes the output, in the area, which grows where it is too small.
fn fill(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    output: &mut [u8],
    area: &mut Area,
) -> Result<(), argon2::Error> {
    let blocks = argon2.params().block_count();
    if area.len() < blocks {
        area.resize(blocks, Block::default());
    }
    argon2.hash_password_into_with_memory(password, salt, output, area)
}

#[cfg(test)]
mod tests;
