//! Measures how verifications per second in one process scale with the number of threads.
//!
//! The use cases run on the memory store, without HTTP. Each thread verifies cached tokens in a loop. Threads that
//! share only read-only memory should reach *n* times the throughput on *n* cores, within the limits of the machine.
//! The floor shows that limit: it computes the digests of the same secrets, without shared state.

use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use latchkey_crypto::{Argon2Hasher, KeyRing, MasterKey, Sealer, SystemEntropy};
use latchkey_domain::{LeakAction, NoticeDays, Policy, Timestamp, TokenAccess, TokenName, TokenSecret};
use latchkey_memory::MemoryStore;
use latchkey_ports::{Clock, PlainWriter, Quota, RecordingSender, SecretSealer as _};
use latchkey_service::{
    Dependencies, IndexSettings, Initiator, IssuingSettings, Lookups, RetryPolicy, Reveal, SelfService,
    SessionPolicy, Settings, TokenDraft, TokenFormat, UsageSettings, UseCases, WhenStale,
};

use crate::options::Options;
use crate::report::{Bar, Claim, Scaling, ThreadCount};
use crate::rounds::Spread;
use crate::stopwatch::Stopwatch;

/// The number of tokens in the case that verifies many tokens in turn.
const MANY: usize = 10_000;
/// The operation that a thread repeats, applied to one secret.
type Work<'w> = dyn Fn(&str) -> anyhow::Result<()> + Sync + 'w;

/// Operations between two checks whether the round is over.
const BATCH: u64 = 64;

/// The clocks of the operating system.
struct RealClock(Stopwatch);

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time, without a port")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp::saturating_from_millis(millis)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The use cases of one process, with all tokens in its cache.
struct Process {
    use_cases: UseCases,
    sealer: Arc<Sealer>,
    secrets: Vec<String>,
}

/// Measures verification of one token and of many tokens, and the floor.
///
/// # Errors
/// When a token cannot be created or verified.
pub async fn measure(
    options: &Options,
    progress: impl Fn(&str),
) -> anyhow::Result<(Vec<Scaling>, Vec<Claim>)> {
    let process = Process::with_tokens(MANY).await?;
    let one = process.secrets.get(..1).context("no token")?;
    let cases = [("one token", one), ("10,000 tokens in turn", &process.secrets[..])];
    let digest = |secret: &str| process.digest(secret);
    let verify = |secret: &str| process.verify(secret);
    let mut tables = vec![scaling("floor: the digest alone", &process.secrets, &digest, options, &progress)?];
    let mut claims = Vec::new();
    for (title, secrets) in cases {
        let table = scaling(title, secrets, &verify, options, &progress)?;
        claims.extend(table.threads.iter().filter(|row| row.threads == 2).map(|row| Claim {
            what: format!("verifications on two threads relative to one, {title}"),
            value: row.times_one,
            unit: "times",
            bar: Bar::AtLeast(1.9),
        }));
        tables.push(table);
    }
    Ok((tables, claims))
}

/// Returns 1, 2, 4 … below the number of cores, then the number of cores.
fn thread_counts(cores: usize) -> Vec<usize> {
    let mut counts: Vec<_> =
        std::iter::successors(Some(1), |count| Some(count * 2)).take_while(|count| *count < cores).collect();
    counts.push(cores.max(1));
    counts
}

impl Process {
    async fn with_tokens(count: usize) -> anyhow::Result<Self> {
        let entropy = Arc::new(SystemEntropy);
        let clock = Arc::new(RealClock(Stopwatch::start()));
        let keys = KeyRing::new(MasterKey::generate(&*entropy), []);
        let sealer = Arc::new(Sealer::new(&keys, entropy.clone()));
        let store = Arc::new(MemoryStore::new(clock.now()));
        let dependencies = Dependencies {
            writable: Some(store.clone()),
            store,
            sealer: sealer.clone(),
            hasher: Arc::new(Argon2Hasher::new(entropy.clone())),
            clock,
            entropy,
            sender: Arc::new(RecordingSender::default()),
            writer: Arc::new(PlainWriter),
            mail: None,
        };
        let settings = Settings {
            tokens: IssuingSettings {
                quota: Quota(u64::MAX),
                reveal: Reveal::Once,
                format: TokenFormat::Latchkey,
                allow_admin: true,
            },
            policy: Policy::default(),
            expiry_notices: NoticeDays::NONE,
            self_service: SelfService::Off,
            index: IndexSettings {
                capacity: 10 * MANY,
                // Nothing follows the change feed during a round.
                max_staleness: Duration::from_secs(86_400),
                when_stale: WhenStale::Refuse,
                unknown_per_second: 1,
                lookups: Lookups::Current,
            },
            sessions: SessionPolicy { ttl: Duration::from_secs(60), max_per_user: 1 },
            personal_tokens: 1,
            retention: None,
            usage: UsageSettings { retention: Duration::from_secs(90 * 86_400), addresses: true },
            leaks: LeakAction::Nothing,
            webhooks: RetryPolicy::default(),
            accept_unknown_key: false,
        };
        let use_cases = UseCases::new(dependencies, settings);
        let mut secrets = Vec::with_capacity(count);
        for _ in 0..count {
            let draft = TokenDraft::new(TokenName::new("gateway")?, TokenAccess::Admin);
            let issued = use_cases.issuer.issue(draft, &Initiator::system()).await?;
            secrets.push(issued.secret.context("a new token shows its secret")?.reveal().to_owned());
        }
        use_cases.follow_changes().await?;
        for secret in &secrets {
            use_cases.verification.verify(secret, None).await?;
        }
        Ok(Self { use_cases, sealer, secrets })
    }

    /// Verifies a token that is in the cache.
    fn verify(&self, secret: &str) -> anyhow::Result<()> {
        let verified = pin!(self.use_cases.verification.verify(secret, None));
        // A cache hit completes on the first poll.
        let Poll::Ready(verified) = verified.poll(&mut Context::from_waker(Waker::noop())) else {
            anyhow::bail!("a verification missed the cache");
        };
        black_box(verified?);
        Ok(())
    }

    /// Computes the digest that is a token's cache key.
    fn digest(&self, secret: &str) -> anyhow::Result<()> {
        black_box(self.sealer.digests(&TokenSecret::parse(secret)?));
        Ok(())
    }
}

fn scaling(
    title: &str,
    secrets: &[String],
    work: &Work<'_>,
    options: &Options,
    progress: &impl Fn(&str),
) -> anyhow::Result<Scaling> {
    let counts = thread_counts(available_parallelism()?.get());
    let mut rows: Vec<(usize, Vec<f64>)> = counts.into_iter().map(|count| (count, Vec::new())).collect();
    let long = Duration::from_secs(u64::from(options.seconds.max(1)));
    let warm_up = rows.last().map_or(1, |(max, _)| *max);
    one_round(secrets, work, warm_up, Duration::from_secs(1))?;
    for round in 1..=options.rounds.max(1) {
        for (threads, samples) in &mut rows {
            let per_second = one_round(secrets, work, *threads, long)?;
            progress(&format!(
                "round {round}/{}: {title}, {threads} threads: {per_second:.0} a second",
                options.rounds
            ));
            samples.push(per_second);
        }
    }
    let alone = rows.first().map(|(_, samples)| samples.clone()).unwrap_or_default();
    let row = |(threads, per_second): (usize, Vec<f64>)| {
        let ratios = per_second.iter().zip(&alone).map(|(together, alone)| together / alone);
        let times_one = Spread::of(ratios).map_or(f64::NAN, |spread| spread.median);
        ThreadCount { threads, per_second, times_one }
    };
    Ok(Scaling { title: title.to_owned(), threads: rows.into_iter().map(row).collect() })
}

/// Returns the operations per second of all threads together.
fn one_round(secrets: &[String], work: &Work<'_>, threads: usize, long: Duration) -> anyhow::Result<f64> {
    let (start, is_over) = (Barrier::new(threads + 1), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let spawn = |number: usize| {
            // Each thread starts at a different token, so that threads do not process the same token at the same time.
            let first = secrets.len() / threads * number;
            let (start, is_over) = (&start, &is_over);
            scope.spawn(move || {
                start.wait();
                repeat(secrets, work, first, is_over)
            })
        };
        let workers: Vec<_> = (0..threads).map(spawn).collect();
        start.wait();
        let watch = Stopwatch::start();
        std::thread::sleep(long);
        is_over.store(true, Ordering::Relaxed);
        let elapsed = watch.elapsed();
        let mut total = 0.0;
        for worker in workers {
            let count = worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
            // A round has far fewer than 2^32 operations.
            total += f64::from(u32::try_from(count)?);
        }
        Ok(total / elapsed.as_secs_f64())
    })
}

fn repeat(secrets: &[String], work: &Work<'_>, first: usize, is_over: &AtomicBool) -> anyhow::Result<u64> {
    let mut tokens = secrets.iter().cycle().skip(first);
    let mut count = 0;
    while !is_over.load(Ordering::Relaxed) {
        for secret in tokens.by_ref().take(usize::try_from(BATCH)?) {
            work(secret)?;
        }
        count += BATCH;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_counts_double_up_to_the_number_of_cores() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(6), [1, 2, 4, 6]);
        assert_eq!(thread_counts(8), [1, 2, 4, 8]);
    }
}
