//! Master keys, alone and in a file.
#![no_main]

use latchkey_crypto::{KeyRing, MasterKey};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret as _;

fuzz_target!(|text: &str| {
    if let Ok(key) = MasterKey::parse(text) {
        let written = key.to_hex();
        assert_eq!(MasterKey::parse(written.expose_secret()).expect("its own notation").id(), key.id());
    }
    match KeyRing::parse(text) {
        Ok(ring) => drop(ring),
        // A message that repeats a part of the text would put the key into a log. Words of the message are shorter.
        Err(error) => {
            let message = error.to_string();
            let is_repeated = |part: &str| part.len() >= 16 && message.contains(part);
            assert!(!text.split_whitespace().any(is_repeated), "{message}");
        }
    }
});
