//! The common part of all mutations: the event with its time and actor, and the invalidation of the principal index.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, ProjectId, ProjectScope, Timestamp};
use latchkey_ports::Clock;

use crate::{Initiator, PrincipalIndex, ServiceError};

/// The number of attempts at a change that conflicts with concurrent ones, before the caller is asked to retry.
const TRIES: usize = 8;

/// The clock and the index, for mutations.
#[derive(Clone)]
pub(crate) struct Changes {
    clock: Arc<dyn Clock>,
    index: Arc<PrincipalIndex>,
}

impl Changes {
    pub(crate) fn new(clock: Arc<dyn Clock>, index: Arc<PrincipalIndex>) -> Self {
        Self { clock, index }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the event of a change at this moment; the caller adds places and the states before and after.
    pub(crate) fn event(&self, kind: EventKind, by: &Initiator) -> NewEvent {
        NewEvent::new(kind, by.actor.clone(), by.origin.clone(), self.now())
    }

    /// Returns the event of a change to a project.
    pub(crate) fn event_in(&self, project: &ProjectId, kind: EventKind, by: &Initiator) -> NewEvent {
        NewEvent { projects: Some(ProjectScope::one(project.clone())), ..self.event(kind, by) }
    }

    /// Invalidates the index. To be called after the change of this event was committed, before the response is sent.
    pub(crate) fn after_commit(&self, event: &NewEvent) {
        self.index.invalidate(event);
    }

    /// Retries an attempt that conflicts with a concurrent change, a bounded number of times.
    pub(crate) async fn retry_on_conflict<T>(
        &self,
        attempt: impl AsyncFn() -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        for _ in 1..TRIES {
            match attempt().await {
                Err(ServiceError::Overtaken) => {}
                done => return done,
            }
        }
        attempt().await
    }
}
