//! Updates and creations whose future is dropped, as in [`crate::cancellation`]: each takes effect
//! completely or not at all.

use std::sync::Arc;

use latchkey_domain::{
    EventKind, Group, GroupDescription, NewEvent, NewUser, PersonName, Project, ProjectMode, Role,
    RoleDescription, RoleId, User,
};
use latchkey_ports::{LoginKey, Rotation, Store, TokenMatch};

use crate::{
    cancellation::{CALLS, assert_consistent, poll_and_drop},
    harness::{StoreContents, count_events, read_contents},
    samples::{
        AMPLE_LIMIT, EDITOR, MEMBER, OWNER, digest, ending, environment, event, group, group_created,
        memberships, moment, new_password, password, personal_token, personal_token_created, project,
        project_id, project_role, secret, secret_shown_once, session, session_start, test_environment, token,
        user_named,
    },
    setup,
};

/// Reads more than can be listed, until nothing changes in between.
async fn read_contents_with<T>(store: &dyn Store, look: impl AsyncFn() -> T) -> (StoreContents, T) {
    loop {
        let before = read_contents(store).await;
        let seen = look().await;
        if read_contents(store).await == before {
            return (before, seen);
        }
    }
}

/// The secrets that find a token, and the number of rotated tokens, match the events.
pub async fn a_dropped_rotation_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let overlap_until = Some(moment(50));
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        setup::token(store, &stored).await;
        let (from, to) = (stored.secret.digest, secret(10_000 + turns));
        let rotation = Rotation { token: stored.token.id, from, to, overlap_until, update: None };
        let rotated = event(EventKind::ApiTokenRotated);
        poll_and_drop(turns, store.rotate_token(&rotation, &rotated)).await;
    }
    let by_secret = async |number| store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
    let (contents, found) = read_contents_with(store, async || {
        let mut found = Vec::new();
        for turns in 0..CALLS {
            found.push((by_secret(turns).await, by_secret(10_000 + turns).await));
        }
        found
    })
    .await;
    let mut rotated = 0;
    for ((turns, stored), (by_old, by_new)) in (0..).zip(contents.all_tokens.clone()).zip(found) {
        let is_rotated = stored.secret == secret(10_000 + turns);
        assert!(is_rotated || stored.secret == secret(turns), "{stored:?}");
        let matching = |number, secret_until| {
            Some(TokenMatch { stored: stored.clone(), secret_until, found_by: digest(number) })
        };
        assert_eq!(by_old, matching(turns, if is_rotated { overlap_until } else { None }));
        assert_eq!(by_new, if is_rotated { matching(10_000 + turns, None) } else { None });
        rotated += usize::from(is_rotated);
    }
    assert_eq!(count_events(&contents, EventKind::ApiTokenRotated), rotated);
    assert_consistent(store).await;
}

/// As many tokens have an expiry as there are update events.
pub async fn a_dropped_token_update_takes_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for turns in 0..CALLS {
        let stored = token(turns, &["default"]);
        setup::token(store, &stored).await;
        let changed = event(EventKind::ApiTokenUpdated);
        let after = ending(Some(moment(9)), stored.clone()).token;
        let call = store.update_token(&stored.token, &after, &changed);
        poll_and_drop(turns, call).await;
    }
    let contents = read_contents(store).await;
    let ending = contents.all_tokens.iter().filter(|stored| stored.token.expires_at.is_some()).count();
    assert_eq!(count_events(&contents, EventKind::ApiTokenUpdated), ending);
    assert_consistent(store).await;
}

/// For every other kind of creation, as many entries exist as there are events.
pub async fn other_dropped_creations_take_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let all = ["production", "development"].map(environment);
    for turns in 0..CALLS {
        let (user, role) = (user_named(&format!("u{turns}")), project_role(&format!("r{turns}")));
        let (environment, project) = (test_environment(&format!("e{turns}")), project(&format!("p{turns}")));
        let session = session_start(&session(turns, ed), turns);
        let token = personal_token(ed, &format!("t{turns}"));
        let (events, secret) = (creation_events(), secret_shown_once(turns));
        let token_event = personal_token_created(&token);
        poll_and_drop(turns, store.create_user(&user, Some(password(1)), &events[0])).await;
        poll_and_drop(turns, store.create_role(&role, &events[1])).await;
        let group = group(&format!("g{turns}"), &[ed]);
        poll_and_drop(turns, store.create_group(&group, &group_created(&group))).await;
        poll_and_drop(turns, store.create_environment(&environment, &events[2])).await;
        poll_and_drop(turns, store.create_project(&project, &all, Some(ed), &events[3])).await;
        poll_and_drop(turns, store.start_session(&session, &events[4])).await;
        poll_and_drop(turns, store.create_personal_token(&token, &secret, AMPLE_LIMIT, &token_event)).await;
    }
    let contents = read_contents(store).await;
    let there = [
        (EventKind::ServiceAccountCreated, contents.users.len() - 1),
        (EventKind::RoleCreated, contents.roles.len() - 5),
        (EventKind::GroupCreated, contents.groups.len()),
        (EventKind::EnvironmentCreated, contents.environments.len() - 2),
        (EventKind::ProjectCreated, contents.projects.len() - 1),
        (EventKind::SessionStarted, contents.sessions.len()),
        (EventKind::PersonalTokenCreated, contents.personal_tokens.len()),
    ];
    for (kind, there) in there {
        assert_eq!(count_events(&contents, kind), there, "{kind}");
    }
    assert!(contents.groups.iter().all(|overview| overview.users.len() == 1), "{:?}", contents.groups);
    let owned = contents.projects.iter().filter(|listed| listed.project.id != project_id("default"));
    for listed in owned {
        assert_eq!((listed.members, listed.environments.len()), (1, 2), "{:?}", listed.project.id);
    }
    assert_consistent(store).await;
}

/// Returns one event per creation. The first has another kind than the event of the user that exists already.
fn creation_events() -> [NewEvent; 5] {
    let kinds = [
        EventKind::ServiceAccountCreated,
        EventKind::RoleCreated,
        EventKind::EnvironmentCreated,
        EventKind::ProjectCreated,
        EventKind::SessionStarted,
    ];
    kinds.map(event)
}

/// For every other kind of change, each entry has the state of its latest event.
pub async fn other_dropped_changes_take_effect_completely_or_not_at_all(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut user = setup::stored_user(store, &NewUser { root_role: EDITOR, ..user_named("ed") }).await;
    let mut role = setup::role(store, &project_role("CI")).await;
    let mut held_group = setup::group(store, &group("g", &[])).await;
    setup::projects(store, &["a"]).await;
    let mut stored_project = project("a");
    for turns in 0..CALLS {
        let at = moment(i64::try_from(turns).expect("few"));
        let [one, two, three, four, five] = update_events().map(|change| NewEvent { at, ..change });
        let held = memberships(&[user.id], &project_id("a"), &[replaced_role(turns)]);
        let keys = [LoginKey::Account("ed".to_owned())];
        poll_and_drop(turns, store.update_user(&user, &updated_user(turns, &user), &one)).await;
        poll_and_drop(turns, store.update_role(&role, &updated_role(turns, &role), &two)).await;
        poll_and_drop(
            turns,
            store.update_project(&stored_project, &updated_project(turns, &stored_project), &three),
        )
        .await;
        poll_and_drop(turns, store.replace_memberships(&held, &four)).await;
        let changed = NewEvent { at, ..event(EventKind::GroupUpdated) };
        poll_and_drop(
            turns,
            store.update_group(&held_group, &updated_group(turns, &held_group, &user), &changed),
        )
        .await;
        poll_and_drop(turns, store.set_password(&new_password(user.id, turns), &five)).await;
        poll_and_drop(turns, store.record_login_failure(&keys, at)).await;
        poll_and_drop(turns, store.sweep(at)).await;
        user = store.find_user(user.id).await.expect("a lookup").expect("the user");
        role = store.find_role(role.id).await.expect("a lookup").expect("the role");
        let found = store.find_group(held_group.id).await.expect("a lookup");
        held_group = found.expect("the group").group;
        stored_project =
            store.find_project(&stored_project.id).await.expect("a lookup").expect("the project");
    }
    assert_consistent(store).await;
    let find_account = async || store.find_account(user.id).await.expect("a lookup").expect("the account");
    let (contents, account) = read_contents_with(store, find_account).await;
    let last = |kind| {
        let events = contents.events.iter().rev().map(|event| &event.record);
        let last = events.clone().find(|record| record.kind == kind)?;
        u64::try_from(last.at.millis() - moment(0).millis()).ok()
    };
    if let Some(turns) = last(EventKind::UserUpdated) {
        assert_eq!(account.user, updated_user(turns, &user));
    }
    if let Some(turns) = last(EventKind::RoleUpdated) {
        assert!(contents.roles.contains(&updated_role(turns, &role)), "{:?}", contents.roles);
    }
    if let Some(turns) = last(EventKind::GroupUpdated) {
        assert_eq!(contents.groups[0].group, updated_group(turns, &held_group, &user));
    }
    if let Some(turns) = last(EventKind::ProjectUpdated) {
        assert_eq!(contents.projects[0].project, updated_project(turns, &stored_project));
    }
    let held: Vec<_> = contents.members[0].iter().flat_map(|member| member.roles.clone()).collect();
    assert_eq!(
        held,
        last(EventKind::ProjectAccessUpdated).map(replaced_role).into_iter().collect::<Vec<_>>()
    );
    assert!(account.password == last(EventKind::PasswordChanged).map(password));
}

fn updated_user(turns: u64, user: &User) -> User {
    User { name: Some(PersonName::new(&format!("change {turns}")).expect("a name")), ..user.clone() }
}

fn updated_role(turns: u64, role: &Role) -> Role {
    let description = RoleDescription::new(&format!("change {turns}")).expect("a description");
    Role { description, ..role.clone() }
}

/// Returns the group with another description, and with or without the user.
fn updated_group(turns: u64, group: &Group, user: &User) -> Group {
    let description = GroupDescription::new(&format!("change {turns}")).expect("a description");
    let members = turns.is_multiple_of(2).then_some((user.id, moment(3))).into_iter().collect();
    Group { description, members, ..group.clone() }
}

fn updated_project(turns: u64, project: &Project) -> Project {
    let mode = if turns.is_multiple_of(2) { ProjectMode::Private } else { ProjectMode::Open };
    Project { mode, updated_at: moment(i64::try_from(turns).expect("few")), ..project.clone() }
}

fn replaced_role(turns: u64) -> RoleId {
    if turns.is_multiple_of(2) { MEMBER } else { OWNER }
}

fn update_events() -> [NewEvent; 5] {
    let kinds = [
        EventKind::UserUpdated,
        EventKind::RoleUpdated,
        EventKind::ProjectUpdated,
        EventKind::ProjectAccessUpdated,
        EventKind::PasswordChanged,
    ];
    kinds.map(event)
}
