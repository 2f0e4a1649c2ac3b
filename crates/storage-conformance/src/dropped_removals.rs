//! Removals that nobody waits for any more, in the manner of [`crate::dropped_futures`]: made whole or not at all.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{EventKind, RemovalOutcome};
use latchkey_ports::{Store, StoredToken};

use crate::{
    dropped_changes::told,
    dropped_futures::{CALLS, is_whole, poll_and_drop},
    given,
    observed::observe,
    samples::{
        MEMBER, OWNER, environment, environment_removal, event, project_id, project_removal, project_role,
        session, token, user_named, working_in,
    },
};

/// Removals of projects with tokens, members and environments: the project is whole, or gone with all that was in it.
pub async fn of_project_removals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    for turns in 0..CALLS {
        let id = format!("p{turns}");
        given::projects(store, &[&id]).await;
        given::project_environments(store, &id, &["production"]).await;
        given::membership(store, ed, &project_id(&id), OWNER).await;
        given::token(store, &token(3 * turns, &[&id])).await;
        given::token(store, &token(3 * turns + 1, &["default", &id])).await;
        let removal = project_removal(&id);
        poll_and_drop(turns, store.delete_project(&removal)).await;
    }
    let observed = observe(store).await;
    let there: BTreeSet<_> = observed.projects.iter().map(|listed| listed.project.id.to_string()).collect();
    let mut gone = 0;
    for turns in 0..CALLS {
        let id = format!("p{turns}");
        let tokens = [token(3 * turns, &[&id]), token(3 * turns + 1, &["default", &id])];
        if there.contains(&id) {
            let listed = observed.projects.iter().find(|listed| listed.project.id == project_id(&id));
            let listed = listed.expect("the project");
            assert_eq!((listed.members, listed.tokens, listed.environments.len()), (1, 2, 1));
            assert!(tokens.iter().all(|stored| observed.all_tokens.contains(stored)));
        } else {
            gone += 1;
            let fate = project_removal(&id).outcome_of(&tokens[1].token);
            let RemovalOutcome::Narrowed { access, .. } = fate else { panic!("default is left") };
            let found = |stored: &StoredToken| {
                observed.all_tokens.iter().find(|one| one.token.id == stored.token.id).cloned()
            };
            assert_eq!(found(&tokens[1]).expect("narrowed").token.access, access);
            assert_eq!(found(&tokens[0]), None);
        }
    }
    for kind in [EventKind::ProjectDeleted, EventKind::ApiTokenDeleted, EventKind::ApiTokenUpdated] {
        assert_eq!(told(&observed, kind), gone, "{kind}");
    }
    is_whole(store).await;
}

/// Removals of environments with tokens, in a project.
pub async fn of_environment_removals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for turns in 0..CALLS {
        let name = format!("e{turns}");
        given::environments(store, &[&name]).await;
        given::project_environments(store, "default", &[&name]).await;
        given::token(store, &working_in(&name, token(turns, &["default"]))).await;
        let removal = environment_removal(&name);
        poll_and_drop(turns, store.delete_environment(&removal)).await;
    }
    let observed = observe(store).await;
    let made = observed.environments.iter().filter(|one| one.environment.name.as_str().starts_with('e'));
    let left = made.clone().count();
    assert!(made.clone().all(|one| (one.projects, one.tokens) == (1, 1)), "{:?}", observed.environments);
    assert_eq!(observed.all_tokens.len(), left);
    assert_eq!(observed.projects[0].environments.len(), left + 2);
    let gone = usize::try_from(CALLS).expect("few") - left;
    for kind in [EventKind::EnvironmentDeleted, EventKind::ApiTokenDeleted] {
        assert_eq!(told(&observed, kind), gone, "{kind}");
    }
    is_whole(store).await;
}

/// Whatever else is removed: as much is gone as events say.
pub async fn of_other_removals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    let default = project_id("default");
    let kinds = [
        EventKind::UserDeleted,
        EventKind::RoleDeleted,
        EventKind::PersonalTokenDeleted,
        EventKind::SessionEnded,
        EventKind::ProjectEnvironmentRemoved,
    ];
    for turns in 0..CALLS {
        let user = given::user(store, &user_named(&format!("u{turns}"))).await;
        given::membership(store, user, &default, MEMBER).await;
        given::personal_token(store, user, "ci", 1_000 + turns).await;
        given::session(store, &session(1_000 + turns, user), 1_000 + turns).await;
        let role = given::role(store, &project_role(&format!("r{turns}"))).await.id;
        let token = given::personal_token(store, ed, &format!("t{turns}"), turns).await;
        given::session(store, &session(turns, ed), turns).await;
        let place = environment(&format!("e{turns}"));
        given::environments(store, &[place.as_str()]).await;
        given::project_environments(store, "default", &[place.as_str()]).await;
        let [one, two, three, four, five] = kinds.map(event);
        poll_and_drop(turns, store.delete_user(user, &one)).await;
        poll_and_drop(turns, store.delete_role(role, &two)).await;
        poll_and_drop(turns, store.delete_personal_token(ed, token, &three)).await;
        poll_and_drop(turns, store.end_session(ed, session(turns, ed).id, &four)).await;
        poll_and_drop(turns, store.remove_project_environment(&default, &place, &five)).await;
    }
    let observed = observe(store).await;
    let [users, roles, tokens, sessions, environments] = kinds.map(|kind| told(&observed, kind));
    let made = usize::try_from(CALLS).expect("few");
    assert_eq!(observed.users.len(), 1 + made - users);
    assert_eq!(observed.members[0].len(), made - users);
    assert_eq!(observed.roles.len(), 5 + made - roles);
    assert_eq!(observed.personal_tokens.len(), 2 * made - users - tokens);
    assert_eq!(observed.sessions.len(), 2 * made - users - sessions);
    assert_eq!(observed.projects[0].environments.len(), 2 + made - environments);
    is_whole(store).await;
}
