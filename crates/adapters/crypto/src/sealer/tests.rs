use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::SystemEntropy;

const SECRET: &str = "default:development.known-answer";

/// The same byte throughout, for known answers.
struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// The key of the bytes 0, 1, … 31.
fn known_key() -> MasterKey {
    let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    MasterKey::parse(text).expect("a key")
}

fn sealer(current: &MasterKey, older: &[&MasterKey]) -> Sealer {
    let ring = KeyRing::new(current.clone(), older.iter().copied().cloned());
    Sealer::new(&ring, Arc::new(SystemEntropy))
}

fn secret(text: &str) -> TokenSecret {
    TokenSecret::parse(text).expect("a secret")
}

fn sha256(text: &str) -> ForeignDigest {
    ForeignDigest(Sha256::digest(text).into())
}

fn token(byte: u8) -> TokenId {
    TokenId::from_uuid(Uuid::from_bytes([byte; 16]))
}

fn unhex(digits: &str) -> Vec<u8> {
    let at = (0..digits.len()).step_by(2);
    at.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

fn opened(sealer: &Sealer, record: &SecretRecord, token: TokenId) -> Result<Option<String>, SealingError> {
    let secret = sealer.open(record, token)?;
    Ok(secret.map(|secret| secret.reveal().to_owned()))
}

// The two known answers fix the format of every store. If one of them changes, nothing that was stored before can be
// found or opened: such a change needs a new version in the texts of `Purpose` and a way to read both.

/// Computed with python3:
/// ```text
/// import hmac, hashlib
/// def hkdf(key, info):
///     prk = hmac.new(bytes(32), key, hashlib.sha256).digest()
///     return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()
/// key = hkdf(bytes(range(32)), b"latchkey/v1/digest")
/// hmac.new(key, b"default:development.known-answer", hashlib.sha256).hexdigest()
/// ```
#[test]
fn the_digest_has_a_known_answer() {
    let digest = sealer(&known_key(), &[]).digest(&secret(SECRET));
    assert_eq!(digest.0[..], unhex("9a120b5449b3ff69324aa6ad65dbb4a8d73537cde794206c3daa529d3309d72e"));
}

/// Computed in python3 from RFC 8439 and draft-irtf-cfrg-xchacha (checked against its vector A.3.1), with the key
/// `hkdf(bytes(range(32)), b"latchkey/v1/seal")`, a nonce of 24 bytes 0x24, and as associated data 16 bytes 0x11
/// followed by the key's id.
#[test]
fn the_sealed_copy_has_a_known_answer() {
    let sealer = Sealer::new(&KeyRing::new(known_key(), []), Arc::new(Fixed(0x24)));
    let record = sealer.seal(&secret(SECRET), token(0x11)).expect("sealed");
    assert_eq!(
        record.sealed.as_deref().expect("a copy"),
        unhex(
            "242424242424242424242424242424242424242424242424\
         211b95ed39dd28c631b9413b481d5ef1734786fc8dd4c78b9379bfa5186ab7d3\
         09b14c390d5524743c0c211a94221a5b"
        )
    );
    assert_eq!(record.key.to_string(), "c52838b6");
}

/// Computed with the functions above:
/// ```text
/// sha256 = hashlib.sha256(b"default:development.known-answer").digest()
/// hmac.new(key, b"\0sha256\0" + sha256, hashlib.sha256).hexdigest()
/// ```
#[test]
fn the_digest_of_a_sha_256_has_a_known_answer() {
    let record = sealer(&known_key(), &[]).foreign_record(&sha256(SECRET));
    assert_eq!(
        record.digest.0[..],
        unhex("59c0c81b4598887c5f0c6ccf166be85eb585a6e703f2a8473f3e66d741b4dba6")
    );
    assert_eq!((record.key, record.sealed), (known_key().id(), None));
}

#[test]
fn a_digest_under_an_older_key_moves_in_its_form() {
    let [old, new] = [known_key(), MasterKey::generate(&SystemEntropy)];
    let (before, after) = (sealer(&old, &[]), sealer(&new, &[&old]));
    let one = secret(SECRET);
    for (from, to) in [
        (before.record(&one), after.record(&one)),
        (before.foreign_record(&sha256(SECRET)), after.foreign_record(&sha256(SECRET))),
    ] {
        assert_eq!(after.moved(&one, &from.digest), Some((old.id(), to.clone())));
        assert_eq!(after.moved(&one, &to.digest), None, "it is there already");
        assert_eq!(after.moved(&secret("another"), &from.digest), None);
        assert_eq!(before.moved(&one, &from.digest), None);
    }
}

#[test]
fn two_copies_of_one_secret_differ_and_its_digests_do_not() {
    let sealer = sealer(&known_key(), &[]);
    let [a, b] = [0, 1].map(|_| sealer.seal(&secret(SECRET), token(1)).expect("sealed"));
    assert_ne!(a.sealed, b.sealed);
    assert_eq!((a.digest, a.key), (b.digest, b.key));
    assert_eq!(a.digest, sealer.digest(&secret(SECRET)));
}

#[test]
fn a_secret_shown_once_is_stored_as_a_digest_alone() {
    let sealer = sealer(&known_key(), &[]);
    let record = sealer.record(&secret(SECRET));
    assert_eq!(record.digest, sealer.digest(&secret(SECRET)));
    assert_eq!(record.sealed, None);
    assert_eq!(opened(&sealer, &record, token(1)), Ok(None));
}

#[test]
fn a_copy_opens_for_its_token_alone() {
    let sealer = sealer(&known_key(), &[]);
    let record = sealer.seal(&secret(SECRET), token(1)).expect("sealed");
    assert_eq!(opened(&sealer, &record, token(1)), Ok(Some(SECRET.to_owned())));
    assert_eq!(opened(&sealer, &record, token(2)), Err(SealingError::Broken));
}

#[test]
fn one_flipped_bit_breaks_a_copy() {
    let sealer = sealer(&known_key(), &[]);
    let record = sealer.seal(&secret(SECRET), token(1)).expect("sealed");
    let copy = record.sealed.clone().expect("a copy");
    for bit in 0..copy.len() * 8 {
        let mut changed = copy.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = SecretRecord { sealed: Some(changed), ..record.clone() };
        assert_eq!(opened(&sealer, &changed, token(1)), Err(SealingError::Broken), "bit {bit}");
    }
    for length in 0..copy.len() {
        let cut = SecretRecord { sealed: Some(copy[..length].into()), ..record.clone() };
        assert_eq!(opened(&sealer, &cut, token(1)), Err(SealingError::Broken), "{length} bytes");
    }
}

#[test]
fn older_keys_still_find_and_open() {
    let [old, new] = [known_key(), MasterKey::generate(&SystemEntropy)];
    let before = sealer(&old, &[]);
    let record = before.seal(&secret(SECRET), token(1)).expect("sealed");

    let after = sealer(&new, &[&old]);
    assert_eq!(opened(&after, &record, token(1)), Ok(Some(SECRET.to_owned())));
    let digests = after.digests(&secret(SECRET));
    assert_eq!(digests[..2], [after.digest(&secret(SECRET)), record.digest]);
    assert_eq!(digests[2..], after.foreign_digests(&sha256(SECRET)));
    assert_ne!(after.digest(&secret(SECRET)), record.digest);
    assert_eq!(after.seal(&secret(SECRET), token(1)).expect("sealed").key, new.id());

    let without = sealer(&new, &[]);
    assert_eq!(opened(&without, &record, token(1)), Err(SealingError::UnknownKey(old.id())));
}

#[test]
fn a_copy_that_names_another_configured_key_is_broken() {
    let [current, older] = [known_key(), MasterKey::generate(&SystemEntropy)];
    let sealer = sealer(&current, &[&older]);
    let record = sealer.seal(&secret(SECRET), token(1)).expect("sealed");
    let renamed = SecretRecord { key: older.id(), ..record };
    assert_eq!(opened(&sealer, &renamed, token(1)), Err(SealingError::Broken));
}

#[test]
fn the_keys_of_two_purposes_differ() {
    let key = known_key();
    assert_ne!(key.derive(Purpose::Digest), key.derive(Purpose::Seal));
}

#[test]
fn debug_shows_ids_only() {
    let key = known_key();
    let shown = format!("{:?}", sealer(&key, &[]));
    assert_eq!(shown, "Sealer { keys: [KeyId([197, 40, 56, 182])], .. }");
}

proptest! {
    #[test]
    fn what_was_sealed_opens_to_itself(text in "[^\\s\\p{Cc}]{1,256}", id: [u8; 16]) {
        let sealer = sealer(&MasterKey::generate(&SystemEntropy), &[]);
        let token = TokenId::from_uuid(Uuid::from_bytes(id));
        let record = sealer.seal(&secret(&text), token).expect("sealed");
        let sealed = record.sealed.as_deref().expect("a copy");
        prop_assert_eq!(sealed.len(), 24 + text.len() + 16);
        prop_assert_eq!(opened(&sealer, &record, token), Ok(Some(text)));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
        let sealer = sealer(&known_key(), &[]);
        let record = SecretRecord { sealed: Some(bytes.into()), ..sealer.record(&secret(SECRET)) };
        prop_assert_eq!(opened(&sealer, &record, token(1)), Err(SealingError::Broken));
    }

    #[test]
    fn different_secrets_have_different_digests(a in "[!-~]{1,40}", b in "[!-~]{1,40}") {
        let sealer = sealer(&known_key(), &[]);
        let [a_digest, b_digest] = [&a, &b].map(|text| sealer.digest(&secret(text)));
        prop_assert_eq!(a == b, a_digest == b_digest);
    }
}

#[test]
fn bytes_are_opened_for_their_context_alone() {
    let [old, new] = [MasterKey::generate(&SystemEntropy), MasterKey::generate(&SystemEntropy)];
    let before = sealer(&old, &[]);
    for plain in [b"".as_slice(), b"{\"secret\": 1}", &[7; 10_000]] {
        let bytes = before.seal_bytes(plain, b"here").expect("sealed");
        assert_eq!(bytes.key, old.id());
        assert!(plain.is_empty() || !bytes.sealed.windows(plain.len()).any(|part| part == plain));
        for reader in [&before, &sealer(&new, &[&old])] {
            assert_eq!(reader.open_bytes(&bytes, b"here").as_deref(), Ok(plain));
            for elsewhere in [b"".as_slice(), b"there", b"here "] {
                assert_eq!(reader.open_bytes(&bytes, elsewhere), Err(SealingError::Broken));
            }
        }
        let unknown = SealingError::UnknownKey(old.id());
        assert_eq!(sealer(&new, &[]).open_bytes(&bytes, b"here"), Err(unknown));
        for byte in [0, bytes.sealed.len() - 1] {
            let mut altered = bytes.clone();
            altered.sealed[byte] ^= 1;
            assert_eq!(before.open_bytes(&altered, b"here"), Err(SealingError::Broken));
        }
    }
    let empty = SealedBytes { key: old.id(), sealed: Box::default() };
    assert_eq!(before.open_bytes(&empty, b"here"), Err(SealingError::Broken));
}

#[test]
fn a_sealed_secret_is_not_opened_as_bytes() {
    let key = known_key();
    let sealer = sealer(&key, &[]);
    let record = sealer.seal(&secret(SECRET), token(0x11)).expect("sealed");
    let bytes = SealedBytes { key: record.key, sealed: record.sealed.expect("a copy") };
    let context = [token(0x11).as_uuid().as_bytes().as_slice(), &key.id().0].concat();
    assert_eq!(
        sealer.open_bytes(&bytes, &context),
        Err(SealingError::Broken),
        "the same context, another key"
    );
}

#[test]
fn an_authentication_code_is_of_one_message_and_one_key() {
    let (one, other) = (known_key(), MasterKey::generate(&SystemEntropy));
    let (key, mac) = sealer(&one, &[]).mac(b"message");
    assert_eq!(key, one.id());
    let rotated = sealer(&other, &[&one]);
    assert_eq!(rotated.is_mac(key, b"message", &mac), Some(true));
    assert_eq!(rotated.is_mac(key, b"messages", &mac), Some(false));
    assert_eq!(rotated.is_mac(other.id(), b"message", &mac), Some(false));
    assert_eq!(sealer(&other, &[]).is_mac(key, b"message", &mac), None);
    assert_ne!(rotated.mac(b"message"), (key, mac));
}
