//! The events of an import.

use std::{mem, time::Duration};

use latchkey_service::{Importer, UsersByLogin};
use latchkey_unleash::{EventPortion, UnleashDatabase};

use super::advice::explained;
use crate::commands::{progress::Progress, report::Report};

/// Adds the events, or says which would be added, in portions after everything else: some users are their actors.
pub(super) async fn import(
    importer: &Importer,
    database: &mut UnleashDatabase,
    retention: Option<Duration>,
    is_trial: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut users, mut progress, mut done) = (UsersByLogin::default(), Progress::default(), 0);
    let all = database.event_count().await?;
    while let Some(EventPortion { rows, events, findings }) = database.next_events(retention).await? {
        report.add(findings)?;
        let mut plan = importer.plan_events(events, &mut users).await.map_err(explained)?;
        report.add(mem::take(&mut plan.findings))?;
        if !is_trial {
            importer.carry_out_events(plan).await.map_err(explained)?;
        }
        done += rows as u64;
        progress.show("events", done, all);
    }
    progress.interrupt();
    report.add(database.other_events().await?)
}
