//! Secrets at rest, and randomness.
//!
//! Here live the master key and where it comes from ([`MasterKey`], [`KeyRing`]), the [`Sealer`] that makes digests
//! and sealed copies with keys derived from it, and [`SystemEntropy`], the one source of random bytes. With the
//! answer that shows a secret to its owner, this is the only place where a secret is revealed.
//!
//! What may not live here: a decision on who may see a secret (`latchkey-service`), where a record is kept (the
//! stores), and any text that a client reads. The traits that are implemented here are
//! [`latchkey_ports::SecretSealer`] and [`latchkey_ports::Entropy`]; start reading there, then [`Sealer`].

mod entropy;
mod key_file;
mod key_ring;
mod master_key;
mod sealer;

pub use entropy::SystemEntropy;
pub use key_file::KeyFileError;
pub use key_ring::{InvalidKeyRing, KeyRing};
pub use master_key::{InvalidKey, MasterKey};
pub use sealer::Sealer;
