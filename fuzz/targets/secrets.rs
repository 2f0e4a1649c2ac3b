//! Secrets of tokens, their prefixes and checksums, and the lists of `INIT_*` variables.
#![no_main]

use latchkey_domain::{TokenKind, TokenSecret};
use latchkey_service::{InitTokens, InitVariable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(secret) = TokenSecret::parse(text) {
        assert_eq!(secret.reveal(), text, "a secret is kept as it is");
        assert_eq!(format!("{secret:?}"), "TokenSecret([REDACTED])");
        let kinds = [secret.is_personal(), secret.is_session()];
        let prefix = secret.prefix().map(|prefix| prefix.to_string());
        // Both read untrusted text to its end; what they find is tested where they are.
        std::hint::black_box((kinds, prefix, secret.has_valid_checksum()));
    }
    for kind in [TokenKind::Admin, TokenKind::Client, TokenKind::Frontend] {
        let variable = InitVariable { name: "INIT", kind };
        std::hint::black_box(InitTokens::default().add(variable, text).map_err(|error| error.to_string())).ok();
    }
});
