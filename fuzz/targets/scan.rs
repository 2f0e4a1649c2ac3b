//! The search for secrets in text of any kind: it must not matter where a text is cut.
#![no_main]

use latchkey_domain::{FoundSecret, ScanVisitor, SecretScanner};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Findings {
    passed: usize,
    found: Vec<(usize, usize, String)>,
}

impl ScanVisitor for Findings {
    fn pass(&mut self, bytes: &[u8]) {
        self.passed += bytes.len();
    }

    fn found(&mut self, found: FoundSecret) {
        self.found.push((self.passed, found.length, found.secret.reveal().to_owned()));
    }
}

fn findings<'b>(blocks: impl Iterator<Item = &'b [u8]>) -> Findings {
    let (mut scanner, mut findings) = (SecretScanner::default(), Findings::default());
    blocks.for_each(|block| scanner.scan(block, &mut findings));
    scanner.finish(&mut findings);
    findings
}

fuzz_target!(|bytes: &[u8]| {
    let whole = findings(std::iter::once(bytes));
    let size = 1 + usize::from(bytes.first().copied().unwrap_or_default());
    let cut = findings(bytes.chunks(size));
    assert_eq!((whole.passed, &whole.found), (bytes.len(), &cut.found));
    assert!(whole.found.iter().all(|(start, length, _)| start + length <= bytes.len()));
});
