//! Secrets of tokens, their prefixes and checksums, and the lists of `INIT_*` variables.
#![no_main]

use latchkey_domain::{TokenKind, TokenSecret};
use latchkey_service::{InitTokens, InitVariable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(secret) = TokenSecret::parse(text) {
        assert_eq!(secret.reveal(), text, "a secret is kept as it is");
        assert_eq!(format!("{secret:?}"), "TokenSecret([REDACTED])");
        // What they find is tested where they are.
        std::hint::black_box((secret.is_personal(), secret.is_session(), secret.has_valid_checksum()));
        std::hint::black_box(secret.prefix().is_ok_and(|prefix| !prefix.to_string().is_empty()));
    }
    for kind in [TokenKind::Admin, TokenKind::Client, TokenKind::Frontend] {
        let variable = InitVariable { name: "INIT", kind };
        if let Err(error) = InitTokens::default().add(variable, text) {
            // Messages go to the log: they tell the position of an entry, not the entry. Words of the message are shorter.
            let message = error.to_string();
            let is_repeated = |part: &str| part.len() >= 32 && message.contains(part);
            assert!(!text.split_whitespace().any(is_repeated), "{message}");
        }
    }
});
