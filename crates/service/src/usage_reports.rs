//! How often tokens are used: of one token, of the tokens of a project, and of all.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use latchkey_domain::{ApiToken, Hour, Reason, Timestamp, TokenKind, UseOutcome};
use latchkey_ports::{
    Direction, Page, ProjectRepository, SeenAddress, StoredToken, TokenOrder, TokenQuery, TokenRepository,
    UsageRepository, UsageScope, UseCount, UsedToken,
};
use tokio::sync::Mutex;

use crate::{
    InstancePermit, Missing, Permit, ReadInstanceTokens, ReadTokens, ServiceError, changes::Changes,
    instance_tokens::visible_kinds,
};

/// The hours of a day.
const DAY: u32 = 24;
/// The tokens of each list in a summary.
const LISTED: u32 = 20;
/// For how long the usage of all tokens is kept, in milliseconds.
const KEPT_FOR: i64 = 60_000;

/// The length of the intervals of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsageInterval {
    #[default]
    Hour,
    /// A day of UTC.
    Day,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageQuery {
    /// From the interval of this moment on; `None`: the last 24 hours or 30 days.
    pub from: Option<Timestamp>,
    /// Before this moment; `None`: until now.
    pub to: Option<Timestamp>,
    pub per: UsageInterval,
}

/// How often tokens were used. Intervals without a use are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    /// The beginning of the first interval.
    pub from: Timestamp,
    /// The end of the last interval.
    pub to: Timestamp,
    pub per: UsageInterval,
    /// In order.
    pub points: Vec<UsagePoint>,
}

/// How often tokens were used in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsagePoint {
    /// Its beginning.
    pub at: Timestamp,
    pub verified: u64,
    pub refused: BTreeMap<Reason, u64>,
}

/// How often many tokens were used together, and which of them most and least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSummary {
    pub report: UsageReport,
    /// Those that were used most, most used first; at most 20.
    pub top: Vec<UsedToken>,
    /// Those that were there before the report begins and were not used since, the longest unused first; at most 20.
    pub unused: Vec<ApiToken>,
}

/// How often many tokens were used in the last 24 hours, and which of them most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentUsage {
    /// By hour.
    pub report: UsageReport,
    /// Those that were used most, most used first; at most 20.
    pub top: Vec<UsedToken>,
}

/// What was read of the usage of tokens of some kinds, and when.
type Kept = BTreeMap<BTreeSet<TokenKind>, (Timestamp, RecentUsage)>;

/// The use cases of this module.
pub struct UsageReports {
    usage: Arc<dyn UsageRepository>,
    tokens: Arc<dyn TokenRepository>,
    projects: Arc<dyn ProjectRepository>,
    changes: Changes,
    kept: Mutex<Kept>,
}

impl UsageReports {
    /// The maximum number of intervals of a report: as many hours as three months have.
    pub const MAX_POINTS: u32 = 2_232;

    pub(crate) fn new(
        usage: Arc<dyn UsageRepository>,
        tokens: Arc<dyn TokenRepository>,
        projects: Arc<dyn ProjectRepository>,
        changes: Changes,
    ) -> Self {
        Self { usage, tokens, projects, changes, kept: Mutex::default() }
    }

    /// Returns how often a token was used, which the caller was permitted to read, and its last addresses.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for more than [`UsageReports::MAX_POINTS`] intervals, or for none;
    /// [`ServiceError::Unavailable`].
    pub async fn of_token(
        &self,
        token: &ApiToken,
        query: UsageQuery,
    ) -> Result<(UsageReport, Vec<SeenAddress>), ServiceError> {
        let report = self.report(&UsageScope::One(token.id), query).await?;
        Ok((report, self.usage.addresses_of(token.id).await?))
    }

    /// Returns how often the tokens that name a project were used.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown project; as [`UsageReports::of_token`].
    pub async fn of_project(
        &self,
        permit: &Permit<ReadTokens>,
        query: UsageQuery,
    ) -> Result<UsageSummary, ServiceError> {
        let project = permit.project();
        if self.projects.find_project(project).await?.is_none() {
            return Err(Missing::Project(project.to_string()).into());
        }
        self.summary(&UsageScope::Project(project.clone()), TokenQuery::of_project(project.clone()), query)
            .await
    }

    /// Returns how often the tokens of the kinds that the caller may read were used.
    ///
    /// # Errors
    /// As [`UsageReports::of_token`].
    pub async fn of_instance(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        query: UsageQuery,
    ) -> Result<UsageSummary, ServiceError> {
        let kinds = visible_kinds(permit);
        let scope = UsageScope::Kinds(kinds.iter().copied().collect());
        self.summary(&scope, TokenQuery::of_kinds(kinds), query).await
    }

    /// Returns how often the tokens that name a project were used lately. It reads the rows of these tokens alone.
    pub async fn recent_in_project(&self, permit: &Permit<ReadTokens>) -> Result<RecentUsage, ServiceError> {
        self.recent(&UsageScope::Project(permit.project().clone())).await
    }

    /// Returns how often the tokens of the kinds that the caller may read were used lately. It reads every row of the last 24 hours, so
    /// it is kept for a minute, at which interval counts are written, and requests that come meanwhile wait for one reading.
    pub async fn recent_in_instance(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
    ) -> Result<RecentUsage, ServiceError> {
        let kinds: BTreeSet<_> = visible_kinds(permit).into_iter().collect();
        let now = self.changes.now();
        let mut kept = self.kept.lock().await;
        if let Some((at, recent)) = kept.get(&kinds)
            && (0..KEPT_FOR).contains(&now.millis().saturating_sub(at.millis()))
        {
            return Ok(recent.clone());
        }
        let recent = self.recent(&UsageScope::Kinds(kinds.clone())).await?;
        kept.insert(kinds, (now, recent.clone()));
        Ok(recent)
    }

    async fn recent(&self, scope: &UsageScope) -> Result<RecentUsage, ServiceError> {
        let report = self.report(scope, UsageQuery::default()).await?;
        let hours = Hour::of(report.from)..Hour::of(report.to);
        let top = self.usage.most_used(scope, hours, LISTED).await?;
        Ok(RecentUsage { report, top })
    }

    async fn summary(
        &self,
        scope: &UsageScope,
        tokens: TokenQuery,
        query: UsageQuery,
    ) -> Result<UsageSummary, ServiceError> {
        let report = self.report(scope, query).await?;
        let hours = Hour::of(report.from)..Hour::of(report.to);
        let top = self.usage.most_used(scope, hours, LISTED).await?;
        let unused = TokenQuery {
            unused_since: Some(report.from),
            order: TokenOrder::SeenAt,
            direction: Direction::Ascending,
            page: Page::first(LISTED),
            ..tokens
        };
        let unused = self.tokens.tokens(&unused).await?;
        let unused = unused.into_iter().map(|StoredToken { token, .. }| token).collect();
        Ok(UsageSummary { report, top, unused })
    }

    async fn report(&self, scope: &UsageScope, query: UsageQuery) -> Result<UsageReport, ServiceError> {
        let hours = hours(query, self.changes.now())?;
        let counts = self.usage.usage(scope, hours.clone()).await?;
        let points = points(&counts, query.per);
        Ok(UsageReport { from: hours.start.start(), to: hours.end.start(), per: query.per, points })
    }
}

/// Returns the hours of a query, in whole intervals.
fn hours(UsageQuery { from, to, per }: UsageQuery, now: Timestamp) -> Result<Range<Hour>, ServiceError> {
    let (length, usual) = match per {
        UsageInterval::Hour => (1, DAY),
        UsageInterval::Day => (DAY, 30 * DAY),
    };
    let begin = |Hour(hour): Hour| hour - hour % length;
    // A moment at the very beginning of an interval ends the one before.
    let end = to.map_or(Hour::of(now).0 + 1, |to| {
        let hour = Hour::of(to);
        if hour.start() == to { hour.0 } else { hour.0.saturating_add(1) }
    });
    let end = end.div_ceil(length).saturating_mul(length);
    let start = from.map_or(end.saturating_sub(usual), |from| begin(Hour::of(from)));
    if start >= end {
        return Err(ServiceError::query("from", "from must be before to."));
    }
    if (end - start) / length > UsageReports::MAX_POINTS {
        let most = UsageReports::MAX_POINTS;
        let message = format!("A report has at most {most} intervals: ask for fewer, or per day.");
        return Err(ServiceError::query("from", message));
    }
    Ok(Hour(start)..Hour(end))
}

/// Sums counts, which are in order of hours, by interval.
fn points(counts: &[UseCount], per: UsageInterval) -> Vec<UsagePoint> {
    let mut points = BTreeMap::new();
    for UseCount { hour: Hour(hour), outcome, count } in counts {
        let start = match per {
            UsageInterval::Hour => *hour,
            UsageInterval::Day => hour - hour % DAY,
        };
        let (verified, refused) = points.entry(start).or_insert_with(|| (0, BTreeMap::<Reason, u64>::new()));
        match outcome {
            UseOutcome::Verified => *verified += count,
            UseOutcome::Refused(reason) => *refused.entry(*reason).or_default() += count,
        }
    }
    let point = |(hour, (verified, refused))| UsagePoint { at: Hour(hour).start(), verified, refused };
    points.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * 3_600_000).expect("in range")
    }

    #[test]
    fn a_report_has_whole_intervals() {
        let now = Timestamp::from_millis(1_000 * 3_600_000 + 1).expect("in range");
        let of = |from: Option<i64>, to: Option<i64>, per| {
            hours(UsageQuery { from: from.map(at), to: to.map(at), per }, now)
                .map(|hours| (hours.start.0, hours.end.0))
        };
        let (by_hour, by_day) = (UsageInterval::Hour, UsageInterval::Day);
        assert_eq!(of(None, None, by_hour).ok(), Some((977, 1_001)));
        assert_eq!(of(None, None, by_day).ok(), Some((1_008 - 720, 1_008)));
        assert_eq!(of(Some(990), None, by_day).ok(), Some((984, 1_008)));
        assert_eq!(of(Some(984), Some(1_008), by_day).ok(), Some((984, 1_008)));
        assert_eq!(of(Some(5), Some(6), by_hour).ok(), Some((5, 6)));
        for (from, to) in [(Some(6), Some(6)), (Some(2_000), None), (None, Some(0))] {
            assert!(of(from, to, by_hour).is_err(), "{from:?} {to:?}");
        }
        assert!(of(Some(0), Some(2_232), by_hour).is_ok());
        assert!(of(Some(0), Some(2_233), by_hour).is_err());
        assert!(of(Some(0), Some(2_233), by_day).is_ok());
    }

    #[test]
    fn counts_are_summed_by_interval() {
        let count = |hour, outcome, count| UseCount { hour: Hour(hour), outcome, count };
        let expired = UseOutcome::Refused(Reason::Expired);
        let counts = [
            count(23, UseOutcome::Verified, 1),
            count(24, UseOutcome::Verified, 2),
            count(24, expired, 3),
            count(47, expired, 4),
        ];
        let refused = |count| BTreeMap::from([(Reason::Expired, count)]);
        let point = |hour, verified, refused| UsagePoint { at: at(hour), verified, refused };
        assert_eq!(
            points(&counts, UsageInterval::Day),
            [point(0, 1, BTreeMap::new()), point(24, 2, refused(7))]
        );
        assert_eq!(
            points(&counts, UsageInterval::Hour),
            [point(23, 1, BTreeMap::new()), point(24, 2, refused(3)), point(47, 0, refused(4))]
        );
    }
}
