//! Digests and sealed copies of secrets.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use latchkey_domain::{TokenId, TokenSecret};
use latchkey_ports::{
    Entropy, EntropyExt as _, ForeignDigest, KeyId, SealedBytes, SealingError, SecretDigest, SecretRecord,
    SecretSealer,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::master_key::Purpose;
use crate::{KeyRing, MasterKey};

const NONCE_BYTES: usize = 24;
/// What stands before a SHA-256 that is digested. No secret begins with NUL.
const FOREIGN_PREFIX: &[u8] = b"\0sha256\0";

/// A master key, ready for use: the states of HMAC after its keys, and the cipher with its key.
struct WorkingKey {
    id: KeyId,
    hmac: Hmac<Sha256>,
    cipher: XChaCha20Poly1305,
    bytes_cipher: XChaCha20Poly1305,
    event_seal: Hmac<Sha256>,
}

/// Digests and seals secrets with keys derived from the master keys.
///
/// A digest is HMAC-SHA-256 of the secret, or of the prefix `\0sha256\0` and its SHA-256 where only that was known (decision 41).
/// A sealed copy is a nonce of 24 random bytes followed by the secret under
/// XChaCha20-Poly1305, bound to the token's id and the key's id, so that it cannot be opened for another token. Random
/// nonces of that size do not repeat in practice. Other bytes are sealed in the same way with a key of their own, bound to a
/// context.
pub struct Sealer {
    current: WorkingKey,
    older: Vec<WorkingKey>,
    entropy: Arc<dyn Entropy>,
}

impl WorkingKey {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn new(master: &MasterKey) -> Self {
        let hmac = |purpose| Hmac::new_from_slice(master.derive(purpose).as_ref()).expect("a key");
        let cipher = |purpose| XChaCha20Poly1305::new((&*master.derive(purpose)).into());
        Self {
            id: master.id(),
            hmac: hmac(Purpose::Digest),
            cipher: cipher(Purpose::Seal),
            bytes_cipher: cipher(Purpose::SealBytes),
            event_seal: hmac(Purpose::EventSeal),
        }
    }

    fn digest(&self, secret: &TokenSecret) -> SecretDigest {
        let digest = self.hmac.clone().chain_update(secret.reveal());
        SecretDigest(digest.finalize().into_bytes().into())
    }

    fn foreign_digest(&self, ForeignDigest(sha256): &ForeignDigest) -> SecretDigest {
        let digest = self.hmac.clone().chain_update(FOREIGN_PREFIX).chain_update(sha256);
        SecretDigest(digest.finalize().into_bytes().into())
    }

    fn seal(
        &self,
        secret: &TokenSecret,
        token: TokenId,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Box<[u8]>, SealingError> {
        let payload = Payload { msg: secret.reveal().as_bytes(), aad: &self.associated_data(token) };
        encrypt(&self.cipher, payload, nonce)
    }

    fn open(&self, sealed: &[u8], token: TokenId) -> Option<TokenSecret> {
        let secret = Zeroizing::new(decrypt(&self.cipher, sealed, &self.associated_data(token))?);
        TokenSecret::parse(std::str::from_utf8(&secret).ok()?).ok()
    }

    /// Returns the associated data of a sealed copy: the ids of the token and of the key.
    fn associated_data(&self, token: TokenId) -> [u8; 20] {
        let mut bound = [0; 20];
        let (token_part, key_part) = bound.split_at_mut(16);
        token_part.copy_from_slice(token.as_uuid().as_bytes());
        key_part.copy_from_slice(&self.id.0);
        bound
    }
}

fn encrypt(
    cipher: &XChaCha20Poly1305,
    payload: Payload<'_, '_>,
    nonce: [u8; NONCE_BYTES],
) -> Result<Box<[u8]>, SealingError> {
    let ciphertext = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealingError::Refused)?;
    Ok([&nonce[..], &ciphertext].concat().into())
}

fn decrypt(cipher: &XChaCha20Poly1305, sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad }).ok()
}

impl Sealer {
    /// Returns a sealer with these keys, and nonces from this source.
    pub fn new(keys: &KeyRing, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            current: WorkingKey::new(keys.current()),
            older: keys.older().iter().map(WorkingKey::new).collect(),
            entropy,
        }
    }

    fn working_keys(&self) -> impl Iterator<Item = &WorkingKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// Opens something with the key of this id.
    fn open_under<T>(&self, id: KeyId, open: impl Fn(&WorkingKey) -> Option<T>) -> Result<T, SealingError> {
        let mut error = SealingError::UnknownKey(id);
        // An id has four bytes, so two keys can have the same id: each of them is tried.
        for key in self.working_keys().filter(|key| key.id == id) {
            if let Some(opened) = open(key) {
                return Ok(opened);
            }
            error = SealingError::Broken;
        }
        Err(error)
    }
}

/// Shows the ids of the keys only.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("keys", &SecretSealer::keys(self)).finish_non_exhaustive()
    }
}

impl SecretSealer for Sealer {
    fn keys(&self) -> Vec<KeyId> {
        self.working_keys().map(|key| key.id).collect()
    }

    fn digest(&self, secret: &TokenSecret) -> SecretDigest {
        self.current.digest(secret)
    }

    fn digests(&self, secret: &TokenSecret) -> Vec<SecretDigest> {
        let foreign = self.foreign_digest(secret);
        let own = self.working_keys().map(|key| key.digest(secret));
        own.chain(self.working_keys().map(|key| key.foreign_digest(&foreign))).collect()
    }

    fn foreign_digest(&self, secret: &TokenSecret) -> ForeignDigest {
        ForeignDigest(Sha256::digest(secret.reveal()).into())
    }

    fn foreign_digests(&self, secret: &ForeignDigest) -> Vec<SecretDigest> {
        self.working_keys().map(|key| key.foreign_digest(secret)).collect()
    }

    fn record(&self, secret: &TokenSecret) -> SecretRecord {
        SecretRecord { digest: self.current.digest(secret), key: self.current.id, sealed: None }
    }

    fn foreign_record(&self, secret: &ForeignDigest) -> SecretRecord {
        SecretRecord { digest: self.current.foreign_digest(secret), key: self.current.id, sealed: None }
    }

    fn moved(&self, secret: &TokenSecret, digest: &SecretDigest) -> Option<(KeyId, SecretRecord)> {
        let foreign = self.foreign_digest(secret);
        self.older.iter().find_map(|key| {
            if key.digest(secret) == *digest {
                Some((key.id, self.record(secret)))
            } else if key.foreign_digest(&foreign) == *digest {
                Some((key.id, self.foreign_record(&foreign)))
            } else {
                None
            }
        })
    }

    fn seal(&self, secret: &TokenSecret, token: TokenId) -> Result<SecretRecord, SealingError> {
        let sealed = self.current.seal(secret, token, self.entropy.bytes())?;
        Ok(SecretRecord { sealed: Some(sealed), ..self.record(secret) })
    }

    fn open(&self, record: &SecretRecord, token: TokenId) -> Result<Option<TokenSecret>, SealingError> {
        let Some(sealed) = &record.sealed else {
            return Ok(None);
        };
        self.open_under(record.key, |key| key.open(sealed, token)).map(Some)
    }

    fn seal_bytes(&self, plain: &[u8], context: &[u8]) -> Result<SealedBytes, SealingError> {
        let payload = Payload { msg: plain, aad: context };
        let sealed = encrypt(&self.current.bytes_cipher, payload, self.entropy.bytes())?;
        Ok(SealedBytes { key: self.current.id, sealed })
    }

    fn open_bytes(&self, bytes: &SealedBytes, context: &[u8]) -> Result<Vec<u8>, SealingError> {
        self.open_under(bytes.key, |key| decrypt(&key.bytes_cipher, &bytes.sealed, context))
    }

    fn mac(&self, message: &[u8]) -> (KeyId, [u8; 32]) {
        let mac = self.current.event_seal.clone().chain_update(message);
        (self.current.id, mac.finalize().into_bytes().into())
    }

    fn is_mac(&self, key: KeyId, message: &[u8], mac: &[u8; 32]) -> Option<bool> {
        let mut keys = self.working_keys().filter(|working| working.id == key).peekable();
        keys.peek()?;
        // In constant time.
        Some(keys.any(|key| key.event_seal.clone().chain_update(message).verify_slice(mac).is_ok()))
    }
}

#[cfg(test)]
mod tests;
