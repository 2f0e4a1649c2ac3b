//! `latchkey audit`.

use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use latchkey_domain::{ChainHash, EventKind, ProjectId, Timestamp};
use latchkey_http::ExportFormat;
use latchkey_service::{
    Caller, EventFilter, InstancePermit, ReadEvents, SealFault, SealFaultKind, SealReport, counted,
};
use serde_json::{Value, json};

use crate::{commands::expiry::parse_time, output, wiring::App};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify that no event was altered, removed or added since it was sealed; exits with 1 if one was
    #[command(after_help = "Examples:\n  latchkey audit verify\n  latchkey audit verify --head 6e1f…\n\n\
        Servers seal events within seconds. The head is the hash of all sealed events: keep it elsewhere now and then, such as in a\n\
        ticket, and give it to a later verification, which then also finds that the end of the trail was cut off, or all of it made anew.")]
    Verify(VerifyArgs),
    /// Print events as CSV or as JSON in lines, newest first
    #[command(
        after_help = "Examples:\n  latchkey audit export --format csv > events.csv\n  latchkey audit export --format jsonl --project shop \
        --from 2026-01-01T00:00:00Z"
    )]
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// csv, or jsonl for a JSON object in each line
    #[arg(long)]
    pub(crate) format: ExportFormat,
    /// The first point in time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) from: Option<Timestamp>,
    /// The last point in time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) to: Option<Timestamp>,
    /// A type of events, may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kinds: Vec<EventKind>,
    /// A project, may be repeated
    #[arg(long = "project", value_name = "ID")]
    pub(crate) projects: Vec<ProjectId>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A head that an earlier verification printed
    #[arg(long, value_name = "HASH")]
    pub(crate) head: Option<ChainHash>,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) async fn run(app: &App, command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify(arguments) => verify(app, arguments).await,
        AuditCommand::Export(arguments) => export(app, arguments).await,
    }
}

async fn verify(app: &App, VerifyArgs { head, json }: VerifyArgs) -> anyhow::Result<()> {
    let report = app.use_cases.audit_seals.verify(head).await?;
    if json {
        output::result(serde_json::to_string_pretty(&as_json(&report))?)?;
    } else {
        print(&report)?;
    }
    match u64::try_from(report.faults.len()).unwrap_or(u64::MAX) {
        0 => Ok(()),
        count => bail!("the audit trail is not as it was sealed: {}", counted(count, "fault")),
    }
}

async fn export(app: &App, arguments: ExportArgs) -> anyhow::Result<()> {
    let ExportArgs { format, from, to, kinds, projects } = arguments;
    // The end of a filter is not a part of what it finds. No event is later than the last time there is.
    let before = to.and_then(|to| to.plus(Duration::from_millis(1)).ok());
    let filter = EventFilter { kinds, projects, from, before, ..EventFilter::default() };
    let permit = InstancePermit::<ReadEvents>::request(&Caller::system())?;
    let mut events = app.use_cases.audit_trail.export(&permit, filter);
    let mut text = format.start().map_err(anyhow::Error::from_boxed)?;
    while output::part(&text)? {
        let portion = events.next().await?;
        if portion.is_empty() {
            break;
        }
        text = format.lines(&portion).map_err(anyhow::Error::from_boxed)?;
    }
    Ok(())
}

fn print(report: &SealReport) -> anyhow::Result<()> {
    let SealReport { seals, events, removed_up_to, leaving, unsealed, head, faults } = report;
    let (seals, events) = (counted(*seals, "seal"), counted(*events, "event"));
    output::result(format_args!("verified: {events} in {seals}"))?;
    if let Some((last, at)) = removed_up_to {
        let last = last.0;
        output::result(format_args!("removed by the retention: events up to {last}, until {at}"))?;
    }
    if *leaving > 0 {
        output::result(format_args!("about to be removed, not verified: {}", counted(*leaving, "event")))?;
    }
    if *unsealed > 0 {
        output::result(format_args!("not sealed yet, not verified: {}", counted(*unsealed, "event")))?;
    }
    for fault in faults {
        output::result(format_args!("FAULT: {}", sentence(fault)))?;
    }
    if let Some((last, hash)) = head {
        output::result(format_args!("head: {hash} at event {}", last.0))?;
    }
    Ok(())
}

fn sentence(SealFault { first, last, kind }: &SealFault) -> String {
    let range = format!("from {} to {}", first.0, last.0);
    match kind {
        SealFaultKind::Altered => format!("an event {range} was altered"),
        SealFaultKind::Removed => format!("an event {range} was removed"),
        SealFaultKind::Added => format!("an event {range} was added later"),
        SealFaultKind::BadMac => {
            format!("the seal of the events {range} was altered, or made without a master key")
        }
        SealFaultKind::UnknownKey => {
            format!("the newest seal, of the events {range}, was made with a master key that is not configured")
        }
        SealFaultKind::NoSuchHead => {
            "no seal has the hash that was noted: the end of the trail was cut off, the chain was made anew, or the retention has \
             removed that part"
                .to_owned()
        }
    }
}

fn as_json(report: &SealReport) -> Value {
    let SealReport { seals, events, removed_up_to, leaving, unsealed, head, faults } = report;
    let fault = |fault: &SealFault| json!({ "kind": fault.kind.as_str(), "first": fault.first.0, "last": fault.last.0 });
    json!({
        "seals": seals,
        "events": events,
        "removedUpTo": removed_up_to.map(|(last, at)| json!({ "event": last.0, "at": at.to_string() })),
        "leaving": leaving,
        "unsealed": unsealed,
        "faults": faults.iter().map(fault).collect::<Vec<_>>(),
        "head": head.map(|(last, hash)| json!({ "event": last.0, "hash": hash.to_string() })),
    })
}
