//! Prints `docs/reference/metrics.md`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().write_all(latchkey_metrics::reference().as_bytes())
}
