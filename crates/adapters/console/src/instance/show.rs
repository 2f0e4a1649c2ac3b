//! The page of the instance.

use std::sync::Arc;

use actix_web::web::Data;
use askama::Template;
use latchkey_domain::TokenKind;
use latchkey_http::pages::ApiResult;
use latchkey_ports::{PoolState, Statistics, TokenCounts};
use latchkey_service::{Metrics, ReadInstance, Retention};

use super::{
    Instance,
    keys::{Key, keys},
    replicas::{ReplicaRow, replica_rows},
    spans::{seconds, term},
};
use crate::{
    frame::{Frame, Section},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "instance/show.html")]
struct InstancePage {
    frame: Frame,
    version: &'static str,
    instance: Arc<Instance>,
    pools: Vec<PoolState>,
    metrics: Metrics,
    announces_changes: bool,
    replicas: Vec<ReplicaRow>,
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

pub(super) async fn show(visitor: Visitor, instance: Data<Instance>) -> ApiResult {
    let permit = visitor.may::<ReadInstance>()?;
    let use_cases = visitor.use_cases();
    let replicas = use_cases.replicas.list(&permit).await?;
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
        replicas: replica_rows(replicas, use_cases.replicas.this(), use_cases.now()),
        keys: keys(&use_cases.master_keys.configured(), &counted),
        retention: use_cases.retention(),
        tasks: tasks.collect(),
        waiting: use_cases.webhook_deliveries.count_waiting().await?,
        statistics: use_cases.statistics(visitor.caller()).await?,
        tokens,
    })
}
