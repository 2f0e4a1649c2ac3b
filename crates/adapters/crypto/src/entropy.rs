//! Random bytes from the operating system.

use std::io::Write as _;

use latchkey_ports::Entropy;

/// The operating system's random generator (`getrandom(2)` on Linux), fit for keys and secrets.
///
/// It never gives weak bytes: where the generator fails, the process says so on standard error and aborts. The port
/// cannot report a failure because no caller could do anything about it, and a panic would not do: it ends one
/// request, and a server that goes on without randomness is one that nobody notices.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter behind the `Entropy` port")]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            // Nothing is left to do where standard error is closed too.
            let _ = writeln!(
                std::io::stderr(),
                "latchkey: the operating system gives no random bytes ({error}); stopping, because no secret may be \
                 made without them"
            );
            std::process::abort();
        }
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
}
