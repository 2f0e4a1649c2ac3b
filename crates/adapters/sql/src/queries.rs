//! Statements of both stores, to be run on either backend. A store adds what its backend has besides, such as row locks.

#![expect(
    missing_docs,
    clippy::elidable_lifetime_names,
    clippy::must_use_candidate,
    reason = "`auto_type` makes a type alias, which names the lifetime, and a statement must be used anyway"
)]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl,
    SelectableHelper,
    backend::Backend,
    dsl::{AsSelect, auto_type, count_star, exists, select},
};
use latchkey_domain::{AccountKind, Role};
use latchkey_ports::Page;

use crate::{
    columns::{DbId, DbTime},
    rows::{
        AccountRow, ChangeRow, EnvironmentOverviewRow, EnvironmentRow, EventRow, EventSealRow, GrantRow,
        GroupMemberRow, GroupRoleRow, GroupRow, MembershipRow, ProjectOverviewRow, ProjectRow, RoleRow,
        SessionRow, TokenSecretsRow, UserRow,
    },
    schema::{
        api_token_projects, api_tokens, environments, event_seals, events, group_members, group_roles,
        memberships, personal_tokens, projects, role_permissions, roles, sessions, user_grants, user_groups,
        users,
    },
};

/// Returns the largest number of rows of a page.
#[must_use]
pub fn page_limit(page: Page) -> i64 {
    page.limit.unwrap_or(u32::MAX).into()
}

/// Returns the number of rows before a page.
#[must_use]
pub fn page_offset(page: Page) -> i64 {
    i64::try_from(page.offset).unwrap_or(i64::MAX)
}

/// Selects a project.
#[auto_type]
pub fn project<'a, DB: Backend>(id: &'a str) -> _ {
    let row: AsSelect<ProjectRow, DB> = ProjectRow::as_select();
    projects::table.find(id).select(row)
}

/// Selects a project with what lists show besides.
#[auto_type]
pub fn project_overview<'a, DB: Backend>(id: &'a str) -> _ {
    let row: AsSelect<ProjectOverviewRow, DB> = ProjectOverviewRow::as_select();
    projects::table.find(id).select(row)
}

/// Selects an environment.
#[auto_type]
pub fn environment<'a, DB: Backend>(name: &'a str) -> _ {
    let row: AsSelect<EnvironmentRow, DB> = EnvironmentRow::as_select();
    environments::table.find(name).select(row)
}

/// Selects all environments in the order of lists.
#[auto_type]
pub fn environment_overviews<DB: Backend>() -> _ {
    let row: AsSelect<EnvironmentOverviewRow, DB> = EnvironmentOverviewRow::as_select();
    environments::table.order((environments::sort_order, environments::name)).select(row)
}

/// Selects all roles with their permissions, by id. One statement sees one state of the store, so no role is read without
/// its permissions.
#[auto_type]
pub fn all_roles<DB: Backend>() -> _ {
    let row: AsSelect<RoleRow, DB> = RoleRow::as_select();
    roles::table
        .left_join(role_permissions::table)
        .order((roles::id, role_permissions::permission))
        .select((row, role_permissions::permission.nullable()))
}

/// Selects a role with its permissions.
#[auto_type]
pub fn role<DB: Backend>(id: i64) -> _ {
    let row: AsSelect<RoleRow, DB> = RoleRow::as_select();
    roles::table
        .left_join(role_permissions::table)
        .filter(roles::id.eq(id))
        .select((row, role_permissions::permission.nullable()))
}

/// Selects whether a user or a group holds the role, for the instance or in a project.
#[auto_type]
pub fn role_is_held(id: i64) -> _ {
    select(
        exists(users::table.filter(users::root_role_id.eq(id)))
            .or(exists(memberships::table.filter(memberships::role_id.eq(id))))
            .or(exists(user_groups::table.filter(user_groups::root_role_id.eq(id))))
            .or(exists(group_roles::table.filter(group_roles::role_id.eq(id)))),
    )
}

/// Selects the memberships of a project, by user, then role.
#[auto_type]
pub fn members_of<'a, DB: Backend>(project: &'a str) -> _ {
    let row: AsSelect<MembershipRow, DB> = MembershipRow::as_select();
    memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::project_id.eq(project))
        .order((memberships::user_id, memberships::role_id))
        .select(row)
}

/// Selects the ids of users and of the roles that they hold in a project.
#[auto_type]
pub fn holdings_in<'a>(project: &'a str) -> _ {
    memberships::table
        .filter(memberships::project_id.eq(project))
        .select((memberships::user_id, memberships::role_id))
}

/// Selects the ids of groups and of the roles that they hold in a project.
#[auto_type]
pub fn group_holdings_in<'a>(project: &'a str) -> _ {
    group_roles::table
        .filter(group_roles::project_id.eq(project))
        .select((group_roles::group_id, group_roles::role_id))
}

/// Selects the ids of the roles that a user holds in a project.
#[auto_type]
pub fn roles_in_project<'a>(user: i64, project: &'a str) -> _ {
    memberships::table
        .filter(memberships::user_id.eq(user))
        .filter(memberships::project_id.eq(project))
        .order(memberships::role_id)
        .select(memberships::role_id)
}

/// Selects the ids of the roles that a group holds in a project.
#[auto_type]
pub fn group_roles_in_project<'a>(group: i64, project: &'a str) -> _ {
    group_roles::table
        .filter(group_roles::group_id.eq(group))
        .filter(group_roles::project_id.eq(project))
        .order(group_roles::role_id)
        .select(group_roles::role_id)
}

/// Selects all groups, by id.
#[auto_type]
pub fn all_groups<DB: Backend>() -> _ {
    let row: AsSelect<GroupRow, DB> = GroupRow::as_select();
    user_groups::table.order(user_groups::id).select(row)
}

/// Selects a group.
#[auto_type]
pub fn group<DB: Backend>(id: i64) -> _ {
    let row: AsSelect<GroupRow, DB> = GroupRow::as_select();
    user_groups::table.find(id).select(row)
}

/// Selects the roles of groups in a project, by group, then role.
#[auto_type]
pub fn groups_in<'a, DB: Backend>(project: &'a str) -> _ {
    let row: AsSelect<GroupRoleRow, DB> = GroupRoleRow::as_select();
    group_roles::table
        .inner_join(user_groups::table.on(user_groups::id.eq(group_roles::group_id)))
        .filter(group_roles::project_id.eq(project))
        .order((group_roles::group_id, group_roles::role_id))
        .select(row)
}

/// Selects the members of groups, by group, then user.
#[auto_type]
pub fn members_of_groups<'a, DB: Backend>(groups: &'a [i64]) -> _ {
    let row: AsSelect<GroupMemberRow, DB> = GroupMemberRow::as_select();
    group_members::table
        .inner_join(users::table.on(users::id.eq(group_members::user_id)))
        .filter(group_members::group_id.eq_any(groups))
        .order((group_members::group_id, group_members::user_id))
        .select(row)
}

/// Selects the projects in which groups hold a role, by group, then project.
#[auto_type]
pub fn projects_of_groups<'a>(groups: &'a [i64]) -> _ {
    group_roles::table
        .filter(group_roles::group_id.eq_any(groups))
        .order((group_roles::group_id, group_roles::project_id))
        .select((group_roles::group_id, group_roles::project_id))
        .distinct()
}

/// Selects the grants of a user; none for an unknown one.
#[auto_type]
pub fn grants_of<DB: Backend>(user: i64) -> _ {
    let row: AsSelect<GrantRow, DB> = GrantRow::as_select();
    user_grants::table.filter(user_grants::user_id.eq(user)).select(row)
}

/// Selects a user.
#[auto_type]
pub fn user<DB: Backend>(id: i64) -> _ {
    let row: AsSelect<UserRow, DB> = UserRow::as_select();
    users::table.find(id).select(row)
}

/// Selects a user with the hash of the password.
#[auto_type]
pub fn account<DB: Backend>(id: i64) -> _ {
    let row: AsSelect<AccountRow, DB> = AccountRow::as_select();
    users::table.find(id).select(row)
}

/// Selects the accounts with this user name or e-mail address: at most one of each.
#[auto_type]
pub fn accounts_by_login<'a, DB: Backend>(username: &'a str, email_key: &'a str) -> _ {
    let row: AsSelect<AccountRow, DB> = AccountRow::as_select();
    users::table.filter(users::username.eq(username).or(users::email_key.eq(email_key))).select(row)
}

/// Selects a page of the users of a kind, by id.
#[auto_type]
pub fn users_of_kind<'a, DB: Backend>(kind: &'a str, limit: i64, offset: i64) -> _ {
    let row: AsSelect<UserRow, DB> = UserRow::as_select();
    let users = users::table.filter(users::account_kind.eq(kind)).order(users::id);
    users.limit(limit).offset(offset).select(row)
}

/// Selects whether a person other than this user is an Admin.
#[auto_type]
pub fn has_another_admin(user: i64) -> _ {
    let role: i64 = Role::ADMIN.0;
    let kind: &'static str = AccountKind::Person.as_str();
    let admins = users::table.filter(users::root_role_id.eq(role)).filter(users::account_kind.eq(kind));
    select(exists(admins.filter(users::id.ne(user))))
}

/// Selects the password hash of a person.
#[auto_type]
pub fn password_of_person(id: i64) -> _ {
    let kind: &'static str = AccountKind::Person.as_str();
    users::table.find(id).filter(users::account_kind.eq(kind)).select(users::password_hash)
}

/// Finds the user, if the password hash is this one.
#[auto_type]
pub fn user_with_password<'a>(id: i64, hash: &'a str) -> _ {
    users::table.find(id).filter(users::password_hash.eq(hash))
}

/// Finds the user, unless it was last seen at this time or later.
#[auto_type]
pub fn user_last_seen_before(id: i64, time: DbTime) -> _ {
    users::table.find(id).filter(users::seen_at.is_null().or(users::seen_at.lt(time)))
}

/// Selects the sessions of a user, oldest first.
#[auto_type]
pub fn sessions_of<DB: Backend>(user: i64) -> _ {
    let row: AsSelect<SessionRow, DB> = SessionRow::as_select();
    sessions::table.filter(sessions::user_id.eq(user)).order((sessions::created_at, sessions::id)).select(row)
}

/// Finds a session of a user.
#[auto_type]
pub fn session_of(user: i64, id: DbId) -> _ {
    sessions::table.find(id).filter(sessions::user_id.eq(user))
}

/// Selects the ids of the user's other sessions, except for the newest.
#[auto_type]
pub fn other_sessions_beyond(user: i64, session: DbId, newest: i64) -> _ {
    sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::id.ne(session))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .offset(newest)
        .select(sessions::id)
}

/// Finds a personal access token of a user.
#[auto_type]
pub fn personal_token_of(user: i64, id: i64) -> _ {
    personal_tokens::table.find(id).filter(personal_tokens::user_id.eq(user))
}

/// Counts the personal access tokens of a user.
#[auto_type]
pub fn count_personal_tokens_of(user: i64) -> _ {
    personal_tokens::table.filter(personal_tokens::user_id.eq(user)).select(count_star())
}

/// Selects the secrets of the next tokens after an id, by id.
#[auto_type]
pub fn token_secrets_after<DB: Backend>(id: DbId, limit: i64) -> _ {
    let row: AsSelect<TokenSecretsRow, DB> = TokenSecretsRow::as_select();
    api_tokens::table.filter(api_tokens::id.gt(id)).order(api_tokens::id).limit(limit).select(row)
}

/// Selects the next changes after an id, by id.
#[auto_type]
pub fn changes_after<DB: Backend>(id: i64, limit: i64) -> _ {
    let row: AsSelect<ChangeRow, DB> = ChangeRow::as_select();
    events::table.filter(events::id.gt(id)).order(events::id).limit(limit).select(row)
}

/// Selects the first events above one number and up to another, in the order of their numbers.
#[auto_type]
pub fn events_between<DB: Backend>(after: i64, last: i64, limit: i64) -> _ {
    let row: AsSelect<EventRow, DB> = EventRow::as_select();
    let between = events::table.filter(events::id.gt(after)).filter(events::id.le(last));
    between.order(events::id).limit(limit).select(row)
}

/// Selects the newest seal of events.
#[auto_type]
pub fn newest_seal<DB: Backend>() -> _ {
    let row: AsSelect<EventSealRow, DB> = EventSealRow::as_select();
    event_seals::table.order(event_seals::last_event.desc()).limit(1_i64).select(row)
}

/// Selects the first seals whose last events are above a number, in order.
#[auto_type]
pub fn seals_after<DB: Backend>(last: i64, limit: i64) -> _ {
    let row: AsSelect<EventSealRow, DB> = EventSealRow::as_select();
    let later = event_seals::table.filter(event_seals::last_event.gt(last));
    later.order(event_seals::last_event).limit(limit).select(row)
}

/// Selects the ids of the events between these two, both included.
#[auto_type]
pub fn event_ids(first: i64, last: i64) -> _ {
    events::table.filter(events::id.between(first, last)).select(events::id)
}

/// Narrows projects to those that a [`ProjectQuery`](latchkey_ports::ProjectQuery) asks for, by id.
#[macro_export]
macro_rules! matching_projects {
    ($projects:expr, $query:expr) => {{
        let projects = $projects.order($crate::schema::projects::id).into_boxed();
        let projects = if $query.archived {
            projects.filter($crate::schema::projects::archived_at.is_not_null())
        } else {
            projects.filter($crate::schema::projects::archived_at.is_null())
        };
        match &$query.visibility {
            ProjectVisibility::All => projects,
            ProjectVisibility::NotPrivateAnd(own) => {
                let is_own = $crate::schema::projects::id.eq_any(own.iter().map(ProjectId::as_str));
                let is_private = ProjectMode::Private.as_str();
                projects.filter($crate::schema::projects::mode.ne(is_private).or(is_own))
            }
        }
    }};
}

/// Counts the secrets under each master key, in the forms of [`SecretForm::ALL`](latchkey_ports::SecretForm::ALL) by
/// number, by whether they have ended at the time `$1`; answers, whether they are from `$2` or earlier.
pub const COUNT_SECRETS: &str = "\
    WITH kept (form, key, has_ended) AS (\
        SELECT CASE WHEN secret_sealed IS NULL THEN 1 ELSE 0 END, secret_key, \
            secret_sealed IS NULL AND coalesce(expires_at <= $1, FALSE) \
        FROM api_tokens \
        UNION ALL \
        SELECT CASE WHEN alias_sealed IS NULL THEN 1 ELSE 0 END, alias_key, \
            alias_sealed IS NULL AND coalesce(expires_at <= $1, FALSE) \
        FROM api_tokens WHERE alias_key IS NOT NULL \
        UNION ALL SELECT 2, secret_key, expires_at <= $1 FROM personal_tokens \
        UNION ALL SELECT 3, secret_key, expires_at <= $1 FROM sessions \
        UNION ALL SELECT 4, secret_key, good_until <= $1 FROM retired_secrets \
        UNION ALL SELECT 5, answer_key, at <= $2 FROM idempotency_keys \
        UNION ALL SELECT 6, secret_key, FALSE FROM webhooks) \
    SELECT CAST(form AS bigint) AS form, key, count(*) FILTER (WHERE NOT has_ended) AS good, \
        count(*) FILTER (WHERE has_ended) AS ended \
    FROM kept GROUP BY form, key";

/// Keeps the answer of these columns, unless one from later than `$6` is kept under its key. Another transaction that keeps one
/// under this key is waited for.
pub const KEEP_ANSWER: &str = "\
    INSERT INTO idempotency_keys AS kept (digest, fingerprint, at, answer_key, answer_sealed) \
    VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (digest) DO UPDATE SET fingerprint = excluded.fingerprint, at = excluded.at, \
        answer_key = excluded.answer_key, answer_sealed = excluded.answer_sealed \
    WHERE kept.at <= $6";

/// The projects that tokens name: of each token in order.
#[auto_type]
pub fn projects_of_tokens<'a>(tokens: &'a [DbId]) -> _ {
    api_token_projects::table
        .filter(api_token_projects::token_id.eq_any(tokens))
        .order((api_token_projects::token_id, api_token_projects::position))
        .select((api_token_projects::token_id, api_token_projects::project_id))
}
