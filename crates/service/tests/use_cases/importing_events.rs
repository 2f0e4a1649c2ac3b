//! Planning events of another system: once, by actors who are known here, and seen by no cache.

use latchkey_domain::{Actor, EventId, EventKind, NewEvent, Origin, ProjectScope, Subject};
use latchkey_ports::{EventQuery, EventRepository, EventScope, IncomingEvent, Outcome};
use latchkey_service::{TokenImport, UsersByLogin};

use crate::{
    master_keys::is_accepted,
    support::{TestEnv, client_of, moment, project_id},
};

fn incoming(number: i64, kind: EventKind, by: &str) -> IncomingEvent {
    let actor = Actor::Elsewhere { name: by.to_owned() };
    let projects = Some(ProjectScope::one(project_id("default")));
    let record = NewEvent { projects, ..NewEvent::new(kind, actor, Origin::default(), moment(5)) };
    IncomingEvent { number, record, is_by_user: true }
}

async fn import(env: &TestEnv, events: Vec<IncomingEvent>) -> Vec<Outcome> {
    let importer = &env.use_cases.importer;
    let plan = importer.plan_events(events, &mut UsersByLogin::default()).await.expect("planned");
    let outcomes = plan.findings.iter().map(|finding| finding.outcome).collect();
    importer.carry_out_events(plan).await.expect("imported");
    outcomes
}

#[tokio::test]
async fn events_come_once_and_by_the_users_who_are_here() {
    let env = TestEnv::new();
    let ada = env.user("ada", "Viewer").await.id;
    let own = env.events().await.len();
    let system = IncomingEvent { is_by_user: false, ..incoming(9, EventKind::RoleCreated, "ada") };
    let events = || {
        vec![
            incoming(7, EventKind::ApiTokenCreated, "ada"),
            incoming(8, EventKind::ApiTokenCreated, "nobody"),
            system.clone(),
            incoming(0, EventKind::ApiTokenCreated, "ada"),
            incoming(1 << 40, EventKind::ApiTokenCreated, "ada"),
        ]
    };
    let (came, present, left_out) = (Outcome::Came, Outcome::Present, Outcome::LeftOut);
    assert_eq!(import(&env, events()).await, [came, came, came, left_out, left_out]);
    assert_eq!(import(&env, events()).await, [present, present, present, left_out, left_out]);
    assert_eq!(import(&env, vec![]).await, []);

    let all = env.store.events(&EventQuery::within(EventScope::All)).await.expect("events").events;
    let imported: Vec<_> = all.iter().rev().filter(|event| event.id.is_imported()).collect();
    assert_eq!((imported.len(), all.len()), (3, own + 3));
    let actors: Vec<_> = imported.iter().map(|event| event.record.actor.clone()).collect();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        actors,
        [
            Actor::User { id: ada, name: name("ada") },
            Actor::Elsewhere { name: name("nobody") },
            Actor::Elsewhere { name: name("ada") },
        ]
    );
    assert!(imported.is_sorted_by(|one, next| one.id < next.id));
    assert_eq!(imported.first().map(|event| event.id), EventId::imported(7));
}

#[tokio::test]
async fn they_end_no_token_here_and_invalidate_nothing() {
    let env = TestEnv::new();
    let token = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown").reveal().to_owned();
    assert!(is_accepted(&env, &secret).await);
    env.use_cases.follow_changes().await.expect("followed");
    let before = env.events().await.len();
    let mut event = incoming(7, EventKind::ApiTokenDeleted, "ada");
    event.record.subject = Some(Subject::Token(token.token.id));
    let of_import = incoming(6, EventKind::ApiTokensImported, "ada");
    assert_eq!(import(&env, vec![of_import, event]).await, [Outcome::Came, Outcome::Came]);
    env.use_cases.follow_changes().await.expect("followed");
    assert!(is_accepted(&env, &secret).await);
    assert_eq!(env.events().await.len(), before + 2);

    // A later import of tokens takes none of them for one that was revoked here.
    let earlier = env.use_cases.importer.begin_tokens().await.expect("read");
    assert_eq!(format!("{earlier:?}"), format!("{:?}", TokenImport::default()));
}
