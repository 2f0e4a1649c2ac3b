//! The page of the instance.

use std::{sync::Arc, time::Duration};

use actix_web::web::Data;
use askama::Template;
use latchkey_domain::TokenKind;
use latchkey_http::pages::ApiResult;
use latchkey_ports::{PoolState, Statistics, TokenCounts};
use latchkey_service::{Metrics, ReadInstance, Retention};

use super::{
    Instance,
    keys::{Key, keys},
};
use crate::{
    frame::{Frame, Section},
    visitor::Visitor,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

#[derive(Template)]
#[template(path = "instance/show.html")]
struct InstancePage {
    frame: Frame,
    version: &'static str,
    instance: Arc<Instance>,
    pools: Vec<PoolState>,
    metrics: Metrics,
    announces_changes: bool,
    keys: Vec<Key>,
    retention: Retention,
    tasks: Vec<Task>,
    /// The deliveries to webhooks that wait.
    waiting: u64,
    statistics: Statistics,
    /// The tokens by kind, as this process has counted them last; `None` before it has.
    tokens: Option<Vec<(TokenKind, TokenCounts)>>,
}

/// A background task.
struct Task {
    name: &'static str,
    restarts: u64,
    is_down: bool,
}

impl InstancePage {
    fn feed_age(&self) -> Option<String> {
        self.metrics.feed_age.map(seconds)
    }

    fn replication_lag(&self) -> Option<String> {
        self.metrics.replication_lag.map(seconds)
    }

    fn event_retention(&self) -> Option<String> {
        self.retention.events.map(term)
    }

    fn usage_retention(&self) -> String {
        term(self.retention.usage)
    }
}

/// Returns a short time in seconds.
fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Returns a long time as the configuration has it, such as `90d`.
fn term(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        _ if seconds.is_multiple_of(DAY) => format!("{} d", seconds / DAY),
        _ if seconds.is_multiple_of(HOUR) => format!("{} h", seconds / HOUR),
        _ if seconds.is_multiple_of(MINUTE) => format!("{} min", seconds / MINUTE),
        _ => format!("{seconds} s"),
    }
}

pub(super) async fn show(visitor: Visitor, instance: Data<Instance>) -> ApiResult {
    visitor.may::<ReadInstance>()?;
    let use_cases = visitor.use_cases();
    let counted = use_cases.master_keys.usage().await?;
    let health = &use_cases.task_health;
    let down = health.down();
    let tasks = health.restarts().into_iter().map(|(name, restarts)| Task {
        name,
        restarts,
        is_down: down.contains(name),
    });
    let tokens = use_cases.counted_tokens().map(|counts| {
        let kinds = [TokenKind::Client, TokenKind::Frontend, TokenKind::Admin].into_iter();
        kinds.map(|kind| (kind, counts.get(&kind).copied().unwrap_or_default())).collect()
    });
    visitor.browser.show(&InstancePage {
        frame: visitor.frame(Section::Instance),
        version: env!("CARGO_PKG_VERSION"),
        instance: instance.into_inner(),
        pools: use_cases.pools(),
        metrics: use_cases.metrics(),
        announces_changes: use_cases.announces_changes(),
        keys: keys(&use_cases.master_keys.configured(), &counted),
        retention: use_cases.retention(),
        tasks: tasks.collect(),
        waiting: use_cases.webhook_deliveries.count_waiting().await?,
        statistics: use_cases.statistics(visitor.caller()).await?,
        tokens,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_their_largest_unit() {
        let terms = [90 * DAY, 36 * HOUR, 90, 61, 120, 0].map(|time| term(Duration::from_secs(time)));
        assert_eq!(terms, ["90 d", "36 h", "90 s", "61 s", "2 min", "0 ms"]);
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
    }
}
