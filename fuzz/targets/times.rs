//! Times and durations of the wire.
#![no_main]

#[path = "../../crates/adapters/http/src/wire_time.rs"]
#[allow(dead_code)]
mod wire_time;

use latchkey_domain::{IsoDuration, Term};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(time) = wire_time::parse(text) {
        assert_eq!(wire_time::parse(&time.to_string()), Some(time), "a time reads what it writes");
    }
    std::hint::black_box(text.parse::<IsoDuration>().map(|duration| duration.to_string()).ok());
    if let Ok(term) = text.parse::<Term>() {
        assert_eq!(term.to_string().parse(), Ok(term), "a term reads what it writes");
    }
});
