//! Reading the audit trail. Events are written by the stores, in the transaction of each change.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, Permission, ProjectId, Timestamp};
use latchkey_ports::{EventPage, EventQuery, EventRepository, EventScope, Page, ProjectRepository};

use crate::{
    Caller, EventExport, EventStream, InstancePermit, Missing, Permit, PrincipalIndex, ReadEvents,
    ReadProjectEvents, ServiceError,
};

/// A filter for events; an empty list filters nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    pub kinds: Vec<EventKind>,
    pub projects: Vec<ProjectId>,
    /// Only those of these actors, by number.
    pub actors: Vec<i64>,
    /// Only those at or after that moment.
    pub from: Option<Timestamp>,
    /// Only those before that moment.
    pub before: Option<Timestamp>,
    /// Only those that contain this text, as [`EventQuery::text`].
    pub text: Option<String>,
}

impl EventFilter {
    fn into_query(self, scope: EventScope, page: Page) -> EventQuery {
        let Self { kinds, projects, actors, from, before, text } = self;
        EventQuery { scope, kinds, projects, actors, from, before, below: None, text, page }
    }
}

/// The use cases of this module.
pub struct AuditTrail {
    events: Arc<dyn EventRepository>,
    projects: Arc<dyn ProjectRepository>,
    index: Arc<PrincipalIndex>,
}

impl AuditTrail {
    /// The maximum number of events on a page.
    pub const MAX: u32 = 1_000;

    pub(crate) fn new(
        events: Arc<dyn EventRepository>,
        projects: Arc<dyn ProjectRepository>,
        index: Arc<PrincipalIndex>,
    ) -> Self {
        Self { events, projects, index }
    }

    /// Returns all events that pass the filter, newest first.
    pub async fn list(
        &self,
        _: &InstancePermit<ReadEvents>,
        filter: EventFilter,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        self.find(EventScope::All, filter, page).await
    }

    /// Returns a stream of all events above a number, in order, and of those to come; `None` if there is no such number yet.
    pub async fn stream(
        &self,
        _: &InstancePermit<ReadEvents>,
        after: EventId,
    ) -> Result<Option<EventStream>, ServiceError> {
        Ok(EventStream::open(self.events.clone(), self.index.news(), after).await?)
    }

    /// Returns all events that pass the filter, newest first, in portions.
    pub fn export(&self, _: &InstancePermit<ReadEvents>, filter: EventFilter) -> EventExport {
        EventExport::new(self.events.clone(), filter.into_query(EventScope::All, Page::default()))
    }

    /// Returns the events that pass the filter and that the caller may read, newest first: all for an administrator,
    /// otherwise those that concern a project whose tokens the caller may read.
    pub async fn search(
        &self,
        caller: &Caller,
        filter: EventFilter,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        let scope = if InstancePermit::<ReadEvents>::request(caller).is_ok() {
            EventScope::All
        } else {
            let readable = caller.grants().projects_with(Permission::ReadProjectApiToken);
            readable.map_or(EventScope::AnyProject, EventScope::Projects)
        };
        self.find(scope, filter, page).await
    }

    /// Returns the events that concern a project, newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown project without events.
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
        scope: EventScope,
        filter: EventFilter,
        page: Page,
    ) -> Result<EventPage, ServiceError> {
        let limit = page.limit.unwrap_or(Self::MAX).min(Self::MAX);
        let query = filter.into_query(scope, Page { limit: Some(limit), ..page });
        Ok(self.events.events(&query).await?)
    }
}
