//! Reading the audit trail. It writes itself: every change leaves its event in the transaction that makes it.

use std::sync::Arc;

use latchkey_domain::{EventKind, Permission, ProjectId, Timestamp};
use latchkey_ports::{EventPage, EventQuery, EventRepository, EventScope, Page, ProjectRepository};

use crate::{Caller, InstancePermit, Missing, Permit, ReadEvents, ReadProjectEvents, ServiceError};

/// Which events somebody asks for; an empty list filters nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Only of one of these kinds.
    pub kinds: Vec<EventKind>,
    /// Only those that concern one of these projects.
    pub projects: Vec<ProjectId>,
    /// Only those of one of these actors, by number.
    pub actors: Vec<i64>,
    /// Only those at or after that moment.
    pub from: Option<Timestamp>,
    /// Only those before that moment.
    pub before: Option<Timestamp>,
}

/// The use cases.
pub struct AuditTrail {
    events: Arc<dyn EventRepository>,
    projects: Arc<dyn ProjectRepository>,
}

impl AuditTrail {
    /// The most events on a page.
    pub const MAX: u32 = 1_000;

    pub(crate) fn new(events: Arc<dyn EventRepository>, projects: Arc<dyn ProjectRepository>) -> Self {
        Self { events, projects }
    }

    /// All events that pass the filter, newest first.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn list(
        &self,
        _: &InstancePermit<ReadEvents>,
        filter: EventFilter,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        self.find(EventScope::All, filter, page).await
    }

    /// Those events that pass the filter that the caller may read, newest first: all for an administrator; for others
    /// those that concern a project whose tokens they may read.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn search(
        &self,
        caller: &Caller,
        filter: EventFilter,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        let reach = if InstancePermit::<ReadEvents>::request(caller).is_ok() {
            EventScope::All
        } else {
            let readable = caller.grants().projects_with(Permission::ReadProjectApiToken);
            readable.map_or(EventScope::AnyProject, EventScope::Projects)
        };
        self.find(reach, filter, page).await
    }

    /// The events that concern a project, newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a project that is not there, unless the trail still tells of it; [`ServiceError::Unavailable`].
    pub async fn of_project(
        &self,
        permit: &Permit<ReadProjectEvents>,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        let project = permit.project();
        let filter = EventFilter { projects: vec![project.clone()], ..EventFilter::default() };
        let found = self.find(EventScope::All, filter, page).await?;
        if found.total == 0 && self.projects.find_project(project).await?.is_none() {
            return Err(Missing::Project(project.to_string()).into());
        }
        Ok(found)
    }

    async fn find(
        &self,
        reach: EventScope,
        filter: EventFilter,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        let EventFilter { kinds, projects, actors, from, before } = filter;
        let limit = page.limit.unwrap_or(Self::MAX).min(Self::MAX);
        let page = Page { limit: Some(limit), ..page };
        let query = EventQuery { reach, kinds, projects, actors, from, before, page };
        Ok(self.events.events(&query).await?)
    }
}
