//! The master keys: their ids, and how many secrets are under each.

use latchkey_ports::{KeyId, SecretsByKey};

/// A master key that is configured or has secrets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    /// The key of the words for what it is to this process.
    pub(super) state: &'static str,
    /// The secrets that are good, or may be shown.
    pub(super) good: u64,
    /// Those that have expired.
    pub(super) ended: u64,
}

/// Returns the keys: the current one, the older ones, and those that secrets are under and that are missing.
pub(super) fn keys(configured: &[KeyId], counted: &SecretsByKey) -> Vec<Key> {
    let mut all: Vec<(KeyId, &'static str)> = Vec::new();
    let states = std::iter::once("instance-key-current").chain(std::iter::repeat("instance-key-older"));
    let missing = counted.keys().map(|(key, _)| (*key, "instance-key-missing"));
    for (key, state) in configured.iter().copied().zip(states).chain(missing) {
        if all.iter().all(|(known, _)| *known != key) {
            all.push((key, state));
        }
    }
    let lines = all.into_iter().map(|(key, state)| {
        let counts = counted.iter().filter(|((of, _), _)| *of == key).map(|(_, count)| count);
        let (good, ended) =
            counts.fold((0, 0), |(good, ended), count| (good + count.good, ended + count.ended));
        Key { id: key.to_string(), state, good, ended }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use latchkey_ports::{SecretCount, SecretForm};

    use super::*;

    #[test]
    fn every_key_that_is_configured_or_has_secrets_is_shown() {
        let [new, old, lost] = [KeyId([0xaa; 4]), KeyId([0xbb; 4]), KeyId([0xcc; 4])];
        let counted = [
            ((new, SecretForm::Sealed), SecretCount { good: 12, ended: 0 }),
            ((new, SecretForm::Session), SecretCount { good: 3, ended: 1 }),
            ((lost, SecretForm::Sealed), SecretCount { good: 0, ended: 2 }),
        ];
        let shown = keys(&[new, old], &counted.into());
        let lines = shown.iter().map(|key| (key.id.as_str(), key.state, key.good, key.ended));
        let expected = [
            ("aaaaaaaa", "instance-key-current", 15, 1),
            ("bbbbbbbb", "instance-key-older", 0, 0),
            ("cccccccc", "instance-key-missing", 0, 2),
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
