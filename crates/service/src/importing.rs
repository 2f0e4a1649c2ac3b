//! Taking over what another system has: what of it is here already, and what is added.
//!
//! A plan is made by lookups alone, so a trial run is a plan that is not carried out. [`ImportRepository::import`] adds all
//! of a plan or nothing, and fails if something was added in between; then a new plan is made. What is here stays as it is:
//! an import adds, and takes nothing away. It therefore never brings back a token that was revoked here, or whose secret was
//! replaced here, since an earlier import: ids are derived from digests, and the audit trail tells what became of them.

mod events;
mod groups;
mod lookup;
mod people;
mod places;
mod tokens;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    hash::Hash,
    iter,
    ops::Range,
    sync::Arc,
};

use futures_util::{Stream, StreamExt};
use latchkey_domain::{
    Event, EventKind, InvalidName, NewRole, Permission, ProjectId, ProjectScope, Role, RoleId, RoleName,
    Subject, Timestamp, TokenId, UserId,
};
use latchkey_ports::{
    EventQuery, EventScope, Finding, Import, ImportedMemberships, Incoming, Page, Reference, RowKind,
    SecretSealer, Store, StoreError, TokenPortion,
};

use self::lookup::Lookup;
pub use self::{
    events::{EventPlan, UsersByLogin},
    lookup::TokenImport,
};
use crate::{Initiator, ServiceError, TokenIssuer, changes::Changes};

/// How many events are read at once.
const EVENTS_AT_ONCE: u32 = 1_000;

/// Plans and carries out imports.
pub struct Importer {
    store: Arc<dyn Store>,
    sealer: Arc<dyn SecretSealer>,
    issuer: Arc<TokenIssuer>,
    changes: Changes,
}

/// What an import adds, and what became of every row.
#[derive(Debug, Default)]
pub struct ImportPlan {
    import: Import,
    /// What became of each row, in the order in which they were planned.
    pub findings: Vec<Finding>,
}

impl ImportPlan {
    /// The number of API tokens that are added.
    pub fn new_tokens(&self) -> usize {
        self.import.tokens.len()
    }
}

/// The import was given up before its end.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the import was given up before its end")]
pub struct Abandoned;

impl Importer {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        sealer: Arc<dyn SecretSealer>,
        issuer: Arc<TokenIssuer>,
        changes: Changes,
    ) -> Self {
        Self { store, sealer, issuer, changes }
    }

    /// Plans to add everything but API tokens and events.
    pub async fn plan(&self, incoming: Incoming, by: &Initiator) -> Result<ImportPlan, ServiceError> {
        let mut plan = ImportPlan::default();
        self.plan_environments(&mut plan, incoming.environments, by).await?;
        self.plan_projects(&mut plan, incoming.projects, by).await?;
        let roles = self.plan_roles(&mut plan, incoming.roles, by).await?;
        let mut given = Given::new();
        let users = self.plan_users(&mut plan, incoming.users, &roles, &mut given, by).await?;
        self.plan_groups(&mut plan, incoming.groups, &roles, &users, &mut given, by).await?;
        self.plan_memberships(&mut plan, given, by);
        Ok(plan)
    }

    fn plan_memberships(&self, plan: &mut ImportPlan, given: Given, by: &Initiator) {
        for ((project, role), Holders { users, groups }) in given {
            let event =
                self.event(EventKind::ProjectAccessAdded, Some(ProjectScope::one(project.clone())), by);
            plan.import.memberships.push(ImportedMemberships { project, role, users, groups, event });
        }
    }

    /// Whether there is such a project here.
    pub async fn has_project(&self, id: &ProjectId) -> Result<bool, ServiceError> {
        Ok(self.store.find_project(id).await?.is_some())
    }

    /// Begins an import of tokens for [`Importer::carry_out_many`]; `None` if the instance is in use: if it has more than
    /// [`Import::FEW_TOKENS`], or retired secrets.
    pub async fn begin_in_new_instance(&self) -> Result<Option<TokenImport>, ServiceError> {
        let limit = Import::FEW_TOKENS + 1;
        let secrets = self.store.token_secrets(None, limit).await?;
        if secrets.len() >= usize::try_from(limit).unwrap_or(usize::MAX)
            || self.has_event(EventKind::ApiTokenRotated).await?
        {
            return Ok(None);
        }
        let records = secrets.iter().flat_map(|one| [Some(&one.secret), one.alias.as_ref()]).flatten();
        let digests: Vec<_> = records.map(|record| record.digest).collect();
        let all = Some(Lookup::new(self.store.find_tokens_by_digests(&digests).await?));
        Ok(Some(TokenImport { all, ..self.begin_tokens().await? }))
    }

    /// Begins an import of tokens: finds out what became of those that were imported before.
    pub async fn begin_tokens(&self) -> Result<TokenImport, ServiceError> {
        if !self.has_event(EventKind::ApiTokensImported).await? {
            return Ok(TokenImport::default());
        }
        let mut ended = HashSet::new();
        let mut offset = 0;
        loop {
            let endings = EventQuery {
                kinds: vec![EventKind::ApiTokenDeleted, EventKind::ApiTokenRotated],
                page: Page { limit: Some(EVENTS_AT_ONCE), offset },
                ..EventQuery::within(EventScope::All)
            };
            // An event that is recorded meanwhile moves others to the next page: one is read twice, and none is missed.
            let page = self.store.events(&endings).await?.events;
            ended.extend(page.iter().filter_map(token_of));
            // Behind the events of this instance are imported ones alone.
            let is_behind = page.last().is_some_and(|event| event.id.is_imported());
            if is_behind || page.len() < usize::try_from(EVENTS_AT_ONCE).unwrap_or(usize::MAX) {
                return Ok(TokenImport { ended, ..TokenImport::default() });
            }
            offset += u64::from(EVENTS_AT_ONCE);
        }
    }

    async fn has_event(&self, kind: EventKind) -> Result<bool, ServiceError> {
        let query =
            EventQuery { kinds: vec![kind], page: Page::first(1), ..EventQuery::within(EventScope::All) };
        Ok(!self.store.events(&query).await?.events.is_empty())
    }

    /// Adds everything that was planned or nothing.
    ///
    /// # Errors
    /// [`ServiceError::Exists`] if an entry was added in between: plan again.
    pub async fn carry_out(&self, plan: ImportPlan) -> Result<(), ServiceError> {
        if plan.import.is_empty() {
            return Ok(());
        }
        Ok(self.store.import(plan.import).await?)
    }

    /// Adds everything that was planned, and the tokens of all further plans, or nothing. For a new instance, because every
    /// other call may have to wait for the store meanwhile.
    ///
    /// # Errors
    /// As [`Importer::carry_out`]; the first error of the plans.
    pub async fn carry_out_many(
        &self,
        first: ImportPlan,
        more: impl Stream<Item = Result<ImportPlan, Abandoned>> + Send + 'static,
    ) -> Result<(), ServiceError> {
        let portions = more.map(|plan| match plan {
            Ok(plan) => Ok(TokenPortion { tokens: plan.import.tokens, events: plan.import.token_events }),
            Err(abandoned) => Err(StoreError::Fault(Box::new(abandoned))),
        });
        Ok(self.store.import_many(first.import, portions.boxed()).await?)
    }

    /// Returns an event of an import in these projects.
    fn event(
        &self,
        kind: EventKind,
        projects: Option<ProjectScope>,
        by: &Initiator,
    ) -> latchkey_domain::NewEvent {
        latchkey_domain::NewEvent { projects, ..self.changes.event(kind, by) }
    }

    fn now(&self) -> Timestamp {
        self.changes.now()
    }

    /// Plans to add roles, and returns the reference to each role by its name in the other system.
    async fn plan_roles(
        &self,
        plan: &mut ImportPlan,
        incoming: Vec<NewRole>,
        by: &Initiator,
    ) -> Result<RolesByName, ServiceError> {
        let known = self.store.roles().await?;
        let mut roles = RolesByName(BTreeMap::new());
        for role in known.iter().filter(|role| role.kind.is_built_in()) {
            roles.0.insert(role.name.clone(), Reference::Existing(role.id));
        }
        for role in incoming {
            let source = role.name.clone();
            let same = |known: &&Role| known.name == role.name && known.kind == role.kind;
            if let Some(known) = known.iter().find(same) {
                let why = if known.permissions == role.permissions {
                    String::new()
                } else {
                    format!(
                        "it has {} there and {} here: change it here if that is not meant",
                        permissions(&role.permissions),
                        permissions(&known.permissions)
                    )
                };
                plan.findings.push(Finding::present(RowKind::Role, &source, why));
                roles.0.insert(source, Reference::Existing(known.id));
                continue;
            }
            let taken = known.iter().map(|role| &role.name);
            let taken = taken.chain(plan.import.roles.iter().map(|(role, _)| &role.name));
            let taken: HashSet<RoleName> = taken.cloned().collect();
            let Some(name) = free(&role.name, 2..100, &taken, RoleName::new) else {
                let why = "there is no free name for it here: rename it there";
                plan.findings.push(Finding::left_out(RowKind::Role, &source, why));
                continue;
            };
            if name != source {
                let why =
                    format!("another role has this name here: it is {name:?} here", name = name.as_str());
                plan.findings.push(Finding::changed(RowKind::Role, &source, why));
            }
            plan.findings.push(Finding::came(RowKind::Role, &source));
            roles.0.insert(source, Reference::New(plan.import.roles.len()));
            let role = NewRole { name, ..role };
            let event = self.event(EventKind::RoleCreated, None, by).with_after(&role);
            plan.import.roles.push((role, event));
        }
        Ok(roles)
    }
}

/// Who gets which role in which project, by project and role.
type Given = BTreeMap<(ProjectId, Reference<RoleId>), Holders>;

/// Who gets a role in a project, each with the time of the assignment.
#[derive(Default)]
struct Holders {
    users: Vec<(Reference<UserId>, Timestamp)>,
    /// Their places among the new groups.
    groups: Vec<(usize, Timestamp)>,
}

/// The roles of the other system, by the names that they have there.
struct RolesByName(BTreeMap<RoleName, Reference<RoleId>>);

/// Returns the token of an event of this instance that ends it or its secret.
fn token_of(event: &Event) -> Option<TokenId> {
    if event.id.is_imported() {
        return None;
    }
    event.record.subject.map(|Subject::Token(id)| id)
}

fn permissions<'p>(all: impl IntoIterator<Item = &'p Permission>) -> String {
    let names: Vec<_> = all.into_iter().map(|permission| permission.as_str()).collect();
    if names.is_empty() { "no permission".to_owned() } else { names.join(", ") }
}

/// Returns the text, or the first one with a number behind it, that is not taken.
fn free<T: Clone + fmt::Display + Eq + Hash>(
    wanted: &T,
    numbers: Range<u32>,
    taken: &HashSet<T>,
    parse: impl Fn(&str) -> Result<T, InvalidName>,
) -> Option<T> {
    let numbered = numbers.filter_map(|number| parse(&format!("{wanted} ({number})")).ok());
    iter::once(wanted.clone()).chain(numbered).find(|text| !taken.contains(text))
}
