//! `latchkey token usage`.

use clap::{Args, ValueEnum};
use latchkey_service::{TokenReference, UsageInterval, UsagePoint, UsageQuery};

use super::change::{IdArgs, no_token, permit};
use crate::{output, wiring::App};

#[derive(Debug, Args)]
pub(crate) struct UsageArgs {
    #[command(flatten)]
    pub(crate) token: IdArgs,
    /// A line for each hour of the last day, or for each day of the last 30
    #[arg(long, value_enum, default_value = "day", value_name = "INTERVAL")]
    pub(crate) per: Interval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Interval {
    Hour,
    Day,
}

/// Prints how often a token was used, and from where.
pub(super) async fn usage(
    app: &App,
    UsageArgs { token: IdArgs { id }, per }: UsageArgs,
) -> anyhow::Result<()> {
    let found = app.use_cases.instance_tokens.get(&permit()?, &TokenReference::Id(id)).await;
    let token = found.map_err(|_| no_token(id))?;
    let per = match per {
        Interval::Hour => UsageInterval::Hour,
        Interval::Day => UsageInterval::Day,
    };
    let query = UsageQuery { per, ..UsageQuery::default() };
    let (report, addresses) = app.use_cases.usage_reports.of_token(&token, query).await?;
    output::result(format_args!("{:24}  {:>12}  refused", "from", "verified"))?;
    for UsagePoint { at, verified, refused } in &report.points {
        let refused: Vec<_> = refused.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let refused = if refused.is_empty() { "0".to_owned() } else { refused.join(", ") };
        output::result(format_args!("{:24}  {verified:>12}  {refused}", at.to_string()))?;
    }
    let last = token.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    output::result(format_args!("last used: {last}"))?;
    addresses
        .iter()
        .try_for_each(|seen| output::result(format_args!("from {} at {}", seen.address, seen.seen_at)))
}
