//! The master keys in use.

use crate::{InvalidKey, MasterKey};

/// The current master key, for new digests and sealed copies, and older ones, for finding and opening what was made
/// with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing {
    current: MasterKey,
    older: Vec<MasterKey>,
}

/// Why a text is not a list of master keys. The message never repeats a part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRing {
    #[error("there is no master key")]
    Empty,
    #[error("entry {position} of the master keys is wrong: {reason}")]
    Entry {
        /// Its position, from 1, without empty ones.
        position: usize,
        reason: InvalidKey,
    },
}

impl KeyRing {
    /// Returns a ring of these keys. A repeated key is kept at its first position.
    pub fn new(current: MasterKey, older: impl IntoIterator<Item = MasterKey>) -> Self {
        let mut kept = Vec::new();
        for key in older {
            if key != current && !kept.contains(&key) {
                kept.push(key);
            }
        }
        Self { current, older: kept }
    }

    /// Reads keys ([`MasterKey::parse`]) separated by commas or line ends, the current one first. Blanks and empty
    /// entries are ignored.
    ///
    /// # Errors
    /// [`InvalidKeyRing`] where there is none, or where one of them is wrong: a ring with a key missing would lose
    /// secrets in silence.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyRing> {
        let mut keys =
            text.split([',', '\n', '\r']).filter(|entry| !entry.trim().is_empty()).enumerate().map(
                |(index, entry)| {
                    MasterKey::parse(entry)
                        .map_err(|reason| InvalidKeyRing::Entry { position: index + 1, reason })
                },
            );
        let current = keys.next().ok_or(InvalidKeyRing::Empty)??;
        let older = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(current, older))
    }

    /// Returns the key for new digests and sealed copies.
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Returns the older keys, in the order given.
    pub fn older(&self) -> &[MasterKey] {
        &self.older
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    const FIRST: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const SECOND: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    #[test]
    fn keys_are_separated_by_commas_or_lines() {
        let [first, second] = [FIRST, SECOND].map(|text| MasterKey::parse(text).expect("a key"));
        let ring = KeyRing::new(first.clone(), [second.clone()]);
        assert_eq!((ring.current(), ring.older()), (&first, &[second][..]));
        for text in [
            format!("{FIRST},{SECOND}"),
            format!("\n {FIRST}\r\n\r\n{SECOND} ,\n"),
            format!("{FIRST},{SECOND},{FIRST},{SECOND}"),
        ] {
            assert_eq!(KeyRing::parse(&text), Ok(ring.clone()));
        }
        let alone = KeyRing::parse(SECOND).expect("a ring");
        assert!(alone.older().is_empty());
    }

    #[test]
    fn an_error_names_the_entry_and_does_not_show_it() {
        assert_eq!(KeyRing::parse(" ,\n"), Err(InvalidKeyRing::Empty));
        let error = KeyRing::parse(&format!("{FIRST},\n,hush-hush")).expect_err("no key");
        assert_eq!(
            error.to_string(),
            "entry 2 of the master keys is wrong: a master key must be written as 64 hex digits or in base64"
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let key = MasterKey::generate(&SystemEntropy);
        let shown = format!("{:?}", KeyRing::new(key.clone(), []));
        assert_eq!(shown, format!("KeyRing {{ current: MasterKey({}), older: [] }}", key.id()));
    }
}
