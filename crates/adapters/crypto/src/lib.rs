//! Secrets at rest, and randomness.
//!
//! Here live the master key and where it comes from ([`MasterKey`], [`KeyRing`]), the [`Sealer`] that makes digests
//! and sealed copies with keys derived from it, the [`Argon2Hasher`] of passwords, and [`SystemEntropy`], the one
//! source of random bytes. With the answer that shows a secret to its owner, this is the only place where a secret is
//! revealed.
//!
//! What may not live here: a decision on who may see a secret or which password is good enough (`latchkey-service`,
//! `latchkey-domain`), where a record is kept (the stores), and any text that a client reads. The traits that are
//! implemented here are [`latchkey_ports::SecretSealer`], [`latchkey_ports::PasswordHasher`] and
//! [`latchkey_ports::Entropy`]; start reading there, then [`Sealer`].

mod entropy;
mod hashing_turns;
mod key_file;
mod key_ring;
mod master_key;
mod password_hasher;
mod sealer;

pub use entropy::SystemEntropy;
pub use key_file::KeyFileError;
pub use key_ring::{InvalidKeyRing, KeyRing};
pub use master_key::{InvalidKey, MasterKey};
pub use password_hasher::{Argon2Hasher, Cost};
pub use sealer::Sealer;
