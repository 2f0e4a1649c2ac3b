//! Random bytes.

use std::io::Write as _;

use latchkey_ports::Entropy;
use rand::Rng as _;

/// Random bytes fit for keys and secrets.
///
/// Master keys, and whatever else is longer than 24 bytes, come from the operating system's generator (`getrandom(2)`
/// on Linux). Ids, salts, nonces and the secrets of tokens come from a `ChaCha` generator per thread that is seeded and
/// regularly reseeded from it: a system call for each id of a request would cost more than everything else about it
/// (decision 21).
///
/// Weak bytes are never returned: if a generator cannot be seeded, the process panics or aborts. The port cannot report
/// the failure, because no caller could do anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

/// The longest request that a thread's generator answers.
const MAX_FROM_THREAD: usize = 24;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > MAX_FROM_THREAD {
            from_system(buffer);
        } else {
            rand::rng().fill_bytes(buffer);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the adapter behind the `Entropy` port")]
fn from_system(buffer: &mut [u8]) {
    if let Err(error) = getrandom::fill(buffer) {
        // If standard error is closed too, nothing is left to do.
        let _ = writeln!(
            std::io::stderr(),
            "latchkey: the operating system gives no random bytes ({error}); stopping, because no secret may be made \
             without them"
        );
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use latchkey_ports::EntropyExt as _;

    use super::*;

    #[test]
    fn each_call_fills_the_whole_buffer() {
        let [a, b]: [[u8; 64]; 2] = [SystemEntropy.bytes(), SystemEntropy.bytes()];
        assert_ne!(a, b);
        // 16 zero bytes in a row have a chance of 2^-128.
        assert!(a.chunks(16).all(|part| part.iter().any(|byte| *byte != 0)));
        assert_ne!(SystemEntropy.bytes::<16>(), [0; 16]);
        SystemEntropy.fill(&mut []);
    }

    #[test]
    fn no_bytes_are_returned_twice() {
        let mut given = std::collections::HashSet::new();
        // Long enough that the generators are reseeded, and from two threads.
        let pieces = || (0..10_000).map(|_| SystemEntropy.bytes::<24>()).collect::<Vec<_>>();
        let others = std::thread::scope(|scope| scope.spawn(pieces).join().expect("no panic"));
        for piece in pieces().into_iter().chain(others) {
            assert_ne!(piece, [0; 24]);
            assert!(given.insert(piece));
        }
    }
}
