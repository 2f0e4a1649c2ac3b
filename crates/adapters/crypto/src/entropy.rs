//! Random bytes from the operating system.

use std::{cell::RefCell, io::Write as _};

use latchkey_ports::Entropy;
use zeroize::Zeroize as _;

/// The operating system's random generator (`getrandom(2)` on Linux), fit for keys and secrets.
///
/// It never gives weak bytes: where the generator fails, the process says so on standard error and aborts. The port
/// cannot report a failure because no caller could do anything about it, and a panic would not do: it ends one
/// request, and a server that goes on without randomness is one that nobody notices.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > MAX_FROM_STORE || STORE.try_with(|store| store.borrow_mut().fill(buffer)).is_err() {
            from_system(buffer);
        }
    }
}

/// So many bytes are asked for at once: a call for each id of a request would cost more than all else about it.
const STORE_BYTES: usize = 1_024;
/// What needs more asks the system itself.
const MAX_FROM_STORE: usize = 64;

thread_local! {
    static STORE: RefCell<Store> = const { RefCell::new(Store { bytes: [0; STORE_BYTES], left: 0 }) };
}

/// Random bytes of one thread, each given once, and not kept after that.
struct Store {
    bytes: [u8; STORE_BYTES],
    left: usize,
}

impl Store {
    fn fill(&mut self, buffer: &mut [u8]) {
        if self.left < buffer.len() {
            from_system(&mut self.bytes);
            self.left = STORE_BYTES;
        }
        let rest = self.left.saturating_sub(buffer.len());
        if let Some(given) = self.bytes.get_mut(rest..self.left) {
            buffer.copy_from_slice(given);
            given.zeroize();
        }
        self.left = rest;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the adapter behind the `Entropy` port")]
fn from_system(buffer: &mut [u8]) {
    if let Err(error) = getrandom::fill(buffer) {
        // Nothing is left to do where standard error is closed too.
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
    fn fills_the_whole_buffer_anew_each_time() {
        let [a, b]: [[u8; 64]; 2] = [SystemEntropy.bytes(), SystemEntropy.bytes()];
        assert_ne!(a, b);
        // 32 zero bytes in a row have a chance of 2^-256.
        assert!(a.chunks(32).all(|half| half.iter().any(|byte| *byte != 0)));
        SystemEntropy.fill(&mut []);
    }

    #[test]
    fn nothing_is_given_twice() {
        let mut given = std::collections::HashSet::new();
        // More than is asked for at once, in pieces that do not divide it; and from two threads.
        let pieces = || (0..200).map(|_| SystemEntropy.bytes::<24>()).collect::<Vec<_>>();
        let others = std::thread::scope(|scope| scope.spawn(pieces).join().expect("no panic"));
        for piece in pieces().into_iter().chain(others) {
            assert_ne!(piece, [0; 24]);
            assert!(given.insert(piece));
        }
    }
}
