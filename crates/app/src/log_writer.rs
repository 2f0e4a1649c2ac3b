//! The writer of the log. Lines of the access log are held for a moment and written together.
//!
//! A system call for each of them would be a notable part of what a server does for a list of ten tokens. Every other
//! line is written at once, after those that are held: the lines keep their order, and a process that is killed loses the
//! access lines of its last moment alone.

use std::{
    io::{self, BufWriter, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use latchkey_http::ACCESS;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// How long a line is held at most.
const MAX_HOLD: Duration = Duration::from_millis(50);
/// The bytes that are held at most: some 40 lines.
const MAX_BYTES: usize = 16 * 1024;

/// A writer of lines that holds those of the access log. Dropped, it writes what it holds.
pub(crate) struct LogWriter<W: Write> {
    lines: Arc<Mutex<BufWriter<W>>>,
    /// Tells that there are lines to write after [`MAX_HOLD`].
    held: SyncSender<()>,
}

impl<W: Write + Send + 'static> LogWriter<W> {
    /// Starts the thread that writes what is held.
    ///
    /// # Errors
    /// If there can be no more threads.
    pub(crate) fn start(writer: W) -> io::Result<Self> {
        let (log, held) = Self::new(writer);
        let lines = Arc::clone(&log.lines);
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            while held.recv().is_ok() {
                thread::sleep(MAX_HOLD);
                // A line that cannot be written has no better place to be reported, and is tried again with the next.
                let _ = lock(&lines).flush();
            }
        })?;
        Ok(log)
    }
}

impl<W: Write> LogWriter<W> {
    /// The writer, and what tells when lines begin to be held.
    fn new(writer: W) -> (Self, Receiver<()>) {
        let (held, receiver) = sync_channel(1);
        let lines = Arc::new(Mutex::new(BufWriter::with_capacity(MAX_BYTES, writer)));
        (Self { lines, held }, receiver)
    }
}

impl<W: Write> Clone for LogWriter<W> {
    fn clone(&self) -> Self {
        Self { lines: Arc::clone(&self.lines), held: self.held.clone() }
    }
}

impl<W: Write> Drop for LogWriter<W> {
    fn drop(&mut self) {
        let _ = lock(&self.lines).flush();
    }
}

impl<'w, W: Write + 'w> MakeWriter<'w> for LogWriter<W> {
    type Writer = LineWriter<'w, W>;

    fn make_writer(&'w self) -> Self::Writer {
        LineWriter { log: self, is_held: false }
    }

    fn make_writer_for(&'w self, line: &Metadata<'_>) -> Self::Writer {
        LineWriter { log: self, is_held: line.target() == ACCESS }
    }
}

/// The writer of one line, which comes whole.
pub(crate) struct LineWriter<'w, W: Write> {
    log: &'w LogWriter<W>,
    is_held: bool,
}

impl<W: Write> Write for LineWriter<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = lock(&self.log.lines);
        let is_first = lines.buffer().is_empty();
        lines.write_all(line)?;
        if !self.is_held {
            lines.flush()?;
        } else if is_first {
            // It fails if the thread knows already.
            let _ = self.log.held.try_send(());
        }
        Ok(line.len())
    }

    /// Does nothing: whether a line is held depends on what it is.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lock<W: Write>(lines: &Mutex<BufWriter<W>>) -> MutexGuard<'_, BufWriter<W>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::{fmt::layer, layer::SubscriberExt as _, registry};

    use super::*;

    /// The parts that were written, as they came.
    struct Written(SyncSender<String>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written() -> (Written, Receiver<String>) {
        let (sender, receiver) = sync_channel(100);
        (Written(sender), receiver)
    }

    /// Logs to this writer.
    fn logging<W: Write + Send + 'static>(writer: &LogWriter<W>, log: impl FnOnce()) {
        let lines = layer().without_time().with_ansi(false).with_writer(writer.clone());
        tracing::subscriber::with_default(registry().with(lines), log);
    }

    /// The layer is kept while lines are held: dropped, it would write them.
    #[test]
    fn lines_of_access_are_held_until_another_line() {
        let (writer, written) = written();
        let (writer, held) = LogWriter::new(writer);
        logging(&writer, || {
            tracing::info!(target: ACCESS, "first");
            tracing::info!(target: ACCESS, "second");
            assert_eq!(written.try_iter().count(), 0);
            assert_eq!(held.try_iter().count(), 1, "the thread is told once");
            tracing::info!("third");
            let parts: Vec<String> = written.try_iter().collect();
            let [part] = &*parts else { panic!("one part: {parts:?}") };
            let words: Vec<_> = part.lines().filter_map(|line| line.split_whitespace().last()).collect();
            assert_eq!(words, ["first", "second", "third"]);
        });
    }

    #[test]
    fn held_lines_are_written_soon() {
        let (writer, written) = written();
        let writer = LogWriter::start(writer).expect("a thread");
        logging(&writer, || {
            for word in ["first", "second"] {
                tracing::info!(target: ACCESS, "{word}");
                assert!(written.recv().expect("a line").ends_with(&format!("{word}\n")));
            }
        });
    }

    #[test]
    fn held_lines_are_written_at_the_end() {
        let (writer, written) = written();
        let (writer, _held) = LogWriter::new(writer);
        logging(&writer, || tracing::info!(target: ACCESS, "last"));
        drop(writer);
        assert_eq!(written.try_iter().filter(|part| part.ends_with("last\n")).count(), 1);
    }

    #[test]
    fn no_more_is_held_than_fits() {
        let (writer, written) = written();
        let (writer, _held) = LogWriter::new(writer);
        logging(&writer, || {
            let long = "x".repeat(MAX_BYTES / 3);
            for _ in 0..4 {
                tracing::info!(target: ACCESS, long);
            }
            assert_eq!(written.try_iter().map(|part| part.lines().count()).collect::<Vec<_>>(), [2]);
        });
    }
}
