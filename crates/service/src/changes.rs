//! What every mutation does besides its own work: it says when and by whom, and what the index knew is forgotten.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, ProjectId, ProjectScope, Timestamp};
use latchkey_ports::Clock;

use crate::{Initiator, PrincipalIndex, ServiceError};

/// How often a change is tried again when somebody else was faster, before the caller is asked to.
const TRIES: usize = 8;

/// The common part of all mutations.
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

    /// The event of a change made now; places, before and after are the caller's to add.
    pub(crate) fn event(&self, kind: EventKind, by: &Initiator) -> NewEvent {
        NewEvent::new(kind, by.actor.clone(), by.origin.clone(), self.now())
    }

    /// The event of a change to a project.
    pub(crate) fn event_in(&self, project: &ProjectId, kind: EventKind, by: &Initiator) -> NewEvent {
        NewEvent { projects: Some(ProjectScope::one(project.clone())), ..self.event(kind, by) }
    }

    /// To be called when the change of this event was made, before anybody is told.
    pub(crate) fn made(&self, event: &NewEvent) {
        self.index.invalidate(event);
    }

    /// Does what may find that somebody else was faster, again and again, a bounded number of times.
    pub(crate) async fn again_while_stale<T>(
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
