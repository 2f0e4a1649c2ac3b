//! What was promised, compared with what the clients saw.

use std::time::Duration;

use latchkey_testkit::wait::until;

use crate::{
    faults::{NewPrimary, Outage, POLLING},
    load::{Act, Load, Record, Revoked, Seen},
    site::{REPLICAS, Replica, Site},
};

/// `verify.max_staleness`.
const MAX_STALENESS: Duration = Duration::from_secs(5);
/// `server.request_timeout`, and what the answer takes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(16);
/// HAProxy checks once a second, and twice in a row.
const PROXY_NOTICES: Duration = Duration::from_secs(8);

/// What depends on how fast the machine is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// From the new primary to the first write.
    writes_again: Duration,
    /// From the acknowledgement of a revocation to the last request that another replica answers with 200.
    revocation_elsewhere: Duration,
}

impl Bounds {
    pub(crate) fn promised() -> Self {
        Self { writes_again: Duration::from_secs(2), revocation_elsewhere: Duration::from_millis(250) }
    }

    pub(crate) fn of_a_busy_machine() -> Self {
        Self { writes_again: Duration::from_secs(10), revocation_elsewhere: MAX_STALENESS }
    }
}

/// What was found so far.
pub(crate) struct Verdict {
    bounds: Bounds,
    broken: Vec<String>,
}

impl Verdict {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, broken: Vec::new() }
    }

    /// Judges what the clients saw during an outage, and prints it.
    pub(crate) fn add(&mut self, outage: &Outage, load: &Load) {
        let seen: Vec<Seen> = {
            let record = load.record();
            record
                .seen
                .iter()
                .filter(|seen| seen.ended >= outage.began && seen.sent <= outage.ended)
                .cloned()
                .collect()
        };
        println!("{:?}: {:.1?} in all", outage.fault, outage.ended.saturating_sub(outage.began));
        if let Some(NewPrimary { promoted, committed }) = outage.new_primary {
            let (took, commit) = (promoted.saturating_sub(outage.began), committed.saturating_sub(promoted));
            println!("    the new primary after {took:.1?}, its first commit {commit:.2?} later");
        }
        for (number, replica) in REPLICAS.into_iter().enumerate() {
            let of = |act| seen.iter().filter(move |seen| seen.replica == number && seen.act == act);
            let mut line = format!("    {replica:?}:");
            let (writes, writes_again) = self.writes(outage, replica, of(Act::Create));
            line += &writes;
            line += &self.verifications(outage, replica, of(Act::Verify));
            line += &self.revocations(outage, number, load, writes_again);
            println!("{line}");
        }
        let longest = seen.iter().max_by_key(|seen| seen.ended.saturating_sub(seen.sent)).expect("requests");
        let took = longest.ended.saturating_sub(longest.sent);
        println!("    {} requests, the longest {took:.1?} ({:?})", seen.len(), longest.act);
        self.expect(took <= REQUEST_TIMEOUT, || format!("{:?} hangs: {longest:?}", outage.fault));
        for odd in seen.iter().filter(|seen| !matches!(seen.answer, Ok(200 | 201 | 503))) {
            self.broken
                .push(format!("{:?}: an answer that is neither success nor 503: {odd:?}", outage.fault));
        }
    }

    fn writes<'s>(
        &mut self,
        outage: &Outage,
        replica: Replica,
        seen: impl Iterator<Item = &'s Seen>,
    ) -> (String, Duration) {
        let good = seen.filter(|seen| seen.is_good()).map(|seen| seen.ended);
        // The clients were writing when it began.
        let mut good: Vec<_> = good.chain([outage.began]).collect();
        good.sort_unstable();
        let longest = good.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default();
        let text = format!(" longest time without a write {longest:.1?}");
        let Some(primary) = outage.new_primary else { return (text + ";", outage.ended) };
        let first = *good.iter().find(|ended| **ended > primary.promoted).expect("each replica has written");
        let after = first.saturating_sub(primary.promoted);
        let bound = if replica == Replica::Proxied { PROXY_NOTICES } else { self.bounds.writes_again };
        self.expect(after <= bound, || {
            format!("{:?}, {replica:?}: writes again after {after:?}", outage.fault)
        });
        (format!("{text}, {after:.2?} after the new primary;"), first)
    }

    fn verifications<'s>(
        &mut self,
        outage: &Outage,
        replica: Replica,
        seen: impl Iterator<Item = &'s Seen>,
    ) -> String {
        let failed: Vec<_> = seen.filter(|seen| !seen.is_good()).collect();
        let (Some(first), Some(last)) = (failed.first(), failed.last()) else {
            return " all verified;".to_owned();
        };
        let (fault, from, to) =
            (outage.fault, first.sent.saturating_sub(outage.began), last.sent.saturating_sub(outage.began));
        let may_fail = replica != Replica::Serving && fault.cuts_off(replica);
        self.expect(may_fail && from + POLLING >= MAX_STALENESS, || {
            format!(
                "{fault:?}, {replica:?}: a known token failed after {from:?}, {}: {first:?}",
                first.reason
            )
        });
        format!(" {} not verified, {from:.1?} to {to:.1?} after the fault;", failed.len())
    }

    fn revocations(&mut self, outage: &Outage, at: usize, load: &Load, writes_again: Duration) -> String {
        let replica = REPLICAS[at];
        let record = load.record();
        let late: Vec<_> = record
            .late
            .iter()
            .filter(|late| late.at == at && late.sent >= outage.began && late.sent <= outage.ended)
            .cloned()
            .collect();
        drop(record);
        let longest = late.iter().map(|late| late.after).max().unwrap_or_default();
        for late in &late {
            let is_kept = match () {
                () if late.by == late.at => false,
                () if !outage.fault.cuts_off(replica) => late.after <= self.bounds.revocation_elsewhere,
                // What was revoked elsewhere just before is not known until the database is back.
                () if replica == Replica::Serving => late.after <= MAX_STALENESS || late.sent <= writes_again,
                () => late.after <= MAX_STALENESS,
            };
            self.expect(is_kept, || {
                format!("{:?}, {replica:?}: a revoked token was good: {late:?}", outage.fault)
            });
        }
        format!(" revoked tokens good for {longest:.1?} at most")
    }

    /// Compares what the clients were told with what the database and the replicas know in the end.
    pub(crate) fn check_database(&mut self, site: &Site, record: &Record) {
        for (server, replica) in site.replicas.iter().zip(REPLICAS) {
            let lost =
                record.good.iter().filter(|secret| server.status("/auth/verify", secret) != 200).count();
            let is_back = |revoked: &&Revoked| {
                // So many at once exhaust the budget for unknown secrets, which is a 503 until the next second.
                let status =
                    || Some(server.status("/auth/verify", &revoked.secret)).filter(|&status| status != 503);
                until("an answer", status) == 200
            };
            let back = record.revoked.iter().filter(is_back).count();
            self.expect(lost == 0, || format!("{replica:?}: {lost} acknowledged tokens are lost"));
            self.expect(back == 0, || format!("{replica:?}: {back} acknowledged revocations are lost"));
        }
        let names = record.created.iter().map(|name| format!("('{name}')")).collect::<Vec<_>>().join(",");
        for (what, query) in [
            (
                "acknowledged creations without exactly one event",
                format!(
                    "SELECT count(*) FROM (VALUES {names}) AS told (name) LEFT JOIN (\
                     SELECT after ->> 'tokenName' AS name, count(*) AS number FROM events \
                     WHERE kind = 'api-token-created' GROUP BY 1) AS made USING (name) WHERE number IS DISTINCT FROM 1"
                ),
            ),
            (
                "tokens without an event of their creation, or such an event without a token or an event of its deletion",
                "SELECT count(*) FROM (SELECT id::text FROM api_tokens UNION ALL \
                 SELECT before ->> 'id' FROM events WHERE kind = 'api-token-deleted') AS gone_or_there \
                 FULL JOIN (SELECT after ->> 'id' AS id FROM events WHERE kind = 'api-token-created') AS made USING (id) \
                 WHERE gone_or_there IS NULL OR made IS NULL"
                    .to_owned(),
            ),
            (
                "tokens that are there in spite of an event of their deletion, or have two of one kind",
                "SELECT count(*) FROM (SELECT id::text FROM api_tokens UNION ALL \
                 SELECT before ->> 'id' FROM events WHERE kind = 'api-token-deleted') AS gone_or_there (id) \
                 GROUP BY id HAVING count(*) > 1 LIMIT 1"
                    .to_owned(),
            ),
        ] {
            let found = site.query(&query);
            self.expect(["0", ""].contains(&found.as_str()), || format!("{found} {what}"));
        }
        let connections = site.query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'latchkey'");
        // Eight in each pool, and one that listens.
        self.expect(connections.parse::<u32>().is_ok_and(|number| number <= 27), || {
            format!("{connections} connections are open: some were not closed")
        });
        println!(
            "{} acknowledged creations, {} acknowledged revocations, {connections} connections in the end",
            record.created.len(),
            record.revoked.len(),
        );
    }

    fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }

    /// Prints what was not kept.
    pub(crate) fn print(&self) {
        println!("{} promises were not kept", self.broken.len());
        for promise in &self.broken {
            println!("{promise}");
        }
    }

    pub(crate) fn assert_kept(&self) {
        self.print();
        assert!(self.broken.is_empty(), "{} promises are broken, see above", self.broken.len());
    }
}
