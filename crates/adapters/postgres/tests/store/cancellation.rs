//! A caller who hangs up leaves nothing half done and nothing locked.

use std::{future::Future, pin::pin, task::Poll};

use latchkey_domain::{Actor, EventId, EventKind, NewEvent, Origin, Project, ProjectVisibility, Snapshot};
use latchkey_ports::{Page, ProjectQuery, ProjectRepository};
use latchkey_storage_conformance::{event_log::events_after, samples};

use crate::databases::migrated;

const ALL: ProjectQuery = ProjectQuery {
    visibility: ProjectVisibility::All,
    archived: false,
    page: Page { limit: None, offset: 0 },
};

fn project(id: &str) -> (Project, NewEvent) {
    let project = samples::project(id);
    let event =
        NewEvent::new(EventKind::ProjectCreated, Actor::System, Origin::default(), project.created_at);
    let event = NewEvent { after: Some(Snapshot::from(&project)), ..event };
    (project, event)
}

/// Drives the future so many times as it can go on, then drops it.
async fn abandon_after(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        left = left.saturating_sub(1);
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending if left == 0 => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
}

/// On a runtime of one thread, as actix workers are.
#[tokio::test(flavor = "current_thread")]
async fn an_abandoned_creation_is_done_or_was_never_begun() {
    let (store, _database) = migrated().await;
    for polls in 1..=12 {
        let (project, event) = project(&format!("p{polls}"));
        abandon_after(polls, store.create_project(&project, &[], None, &event)).await;
        abandon_after(polls, store.projects(&ALL)).await;
    }
    // No lock is left, and every event has its project.
    let (last, event) = project("last");
    store.create_project(&last, &[], None, &event).await.expect("created");
    let events = events_after(&store, EventId(0)).await;
    let projects = store.projects(&ALL).await.expect("read");
    assert_eq!(events.len(), projects.len() - 1, "the project `default` came without an event");
}
