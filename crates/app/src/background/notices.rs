//! The task that records notices of tokens.

use std::{sync::Arc, time::Duration};

use latchkey_metrics::names::PROJECTS_WITH_TOKENS;
use latchkey_ports::ErrorChain;
use latchkey_service::{FoundNotices, NoticedProjects, UseCases};

use crate::clock::ticks;

/// Records notices, and keeps the counts that they are made from.
pub(super) async fn record(use_cases: Arc<UseCases>, every: Duration) {
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        match use_cases.notices.record().await {
            Ok(FoundNotices { recorded, projects }) => {
                publish_projects(projects);
                if recorded > 0 {
                    tracing::info!(recorded, "notices of tokens were recorded");
                }
            }
            Err(error) => tracing::warn!(error = %ErrorChain(&error), "notices could not be recorded"),
        }
    }
}

fn publish_projects(projects: NoticedProjects) {
    let NoticedProjects { expiring, expired_in_use, unused, rotation_due } = projects;
    for (state, number) in [
        ("expiring", expiring),
        ("expired_in_use", expired_in_use),
        ("unused", unused),
        ("rotation_due", rotation_due),
    ] {
        PROJECTS_WITH_TOKENS.set_count([state], u64::try_from(number).unwrap_or(u64::MAX));
    }
}
