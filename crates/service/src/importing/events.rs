//! Events.

use std::collections::{HashMap, HashSet};

use latchkey_domain::{Actor, Event, EventId, UserId};
use latchkey_ports::{Finding, IncomingEvent, RowKind};

use super::Importer;
use crate::ServiceError;

/// Events that are added, and what became of each of the other system.
#[derive(Debug, Default)]
pub struct EventPlan {
    events: Vec<Event>,
    /// In the order of the events.
    pub findings: Vec<Finding>,
}

/// The users here with login names of the other system, as far as they were looked up.
#[derive(Debug, Default)]
pub struct UsersByLogin(HashMap<String, Option<UserId>>);

impl Importer {
    /// Plans to add events, which are in the order of their numbers. To be called when the users are here, of whom some are
    /// actors. It takes nothing that was recorded under such a number before.
    pub async fn plan_events(
        &self,
        incoming: Vec<IncomingEvent>,
        users: &mut UsersByLogin,
    ) -> Result<EventPlan, ServiceError> {
        let mut plan = EventPlan::default();
        let ids = || incoming.iter().filter_map(|one| EventId::imported(one.number));
        let known: HashSet<EventId> = match ids().min().zip(ids().max()) {
            Some((first, last)) => self.store.event_ids(first, last).await?.into_iter().collect(),
            None => HashSet::new(),
        };
        for one in incoming {
            let label = one.label();
            let Some(id) = EventId::imported(one.number) else {
                let why = "its number is none that an event can have here";
                plan.findings.push(Finding::left_out(RowKind::Event, label, why));
                continue;
            };
            if known.contains(&id) {
                plan.findings.push(Finding::present(RowKind::Event, label, ""));
                continue;
            }
            plan.findings.push(Finding::came(RowKind::Event, label));
            let IncomingEvent { mut record, is_by_user, .. } = one;
            if is_by_user {
                record.actor = self.actor(record.actor, users).await?;
            }
            plan.events.push(Event { id, record });
        }
        Ok(plan)
    }

    /// Adds events that were planned. An interruption leaves some of them, and the same import goes on behind.
    pub async fn carry_out_events(&self, plan: EventPlan) -> Result<(), ServiceError> {
        if plan.events.is_empty() {
            return Ok(());
        }
        Ok(self.store.import_events(&plan.events).await?)
    }

    /// Returns the user here who has the login name of an actor there; otherwise the actor, known by the name alone.
    async fn actor(&self, actor: Actor, users: &mut UsersByLogin) -> Result<Actor, ServiceError> {
        let Actor::Elsewhere { name } = actor else { return Ok(actor) };
        let found = if let Some(found) = users.0.get(&name) {
            *found
        } else {
            let account = self.store.find_account_by_login(&name).await?;
            let found = account.map(|account| account.user.id);
            users.0.insert(name.clone(), found);
            found
        };
        Ok(match found {
            Some(id) => Actor::User { id, name },
            None => Actor::Elsewhere { name },
        })
    }
}
