//! Secrets at rest, and randomness.
//!
//! Lives here: the master key and its sources ([`MasterKey`], [`KeyRing`]), the [`Sealer`] that makes digests and
//! sealed copies with keys derived from it, the [`Argon2Hasher`] of passwords, and [`SystemEntropy`], the source of
//! random bytes.
//!
//! May not live here: decisions on access to secrets or on the quality of passwords (`latchkey-service`,
//! `latchkey-domain`), storage (the stores), and texts for clients. The traits that are implemented here are
//! [`latchkey_ports::SecretSealer`], [`latchkey_ports::PasswordHasher`] and [`latchkey_ports::Entropy`]; start reading
//! there, then [`Sealer`].

mod bcrypt_hash;
mod entropy;
mod hashing_turns;
mod key_file;
mod key_ring;
mod master_key;
mod password_hasher;
mod private_file;
mod sealer;

pub use entropy::SystemEntropy;
pub use key_file::KeyFileError;
pub use key_ring::{InvalidKeyRing, KeyRing};
pub use master_key::{InvalidKey, MasterKey};
pub use password_hasher::{Argon2Hasher, Cost};
pub use private_file::create_private_file;
pub use sealer::Sealer;
