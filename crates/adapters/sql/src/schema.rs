//! The tables and views of both stores. The statements that create them are in `migrations/`.

#![expect(missing_docs, reason = "the migrations document the columns")]

mod transient;

pub use self::transient::replicas;

/// A table that says its primary key.
pub trait Keyed {
    /// The columns of the key, in parentheses, separated by commas.
    const KEY: &str;
}

macro_rules! tables {
    ($($(#[$($attribute:tt)+])* $name:ident $key:tt { $($columns:tt)+ })+) => {
        $(
            diesel::table! {
                use crate::columns::prelude::*;

                $(#[$($attribute)+])*
                $name $key { $($columns)+ }
            }

            impl Keyed for $name::table {
                const KEY: &str = stringify!($key);
            }
        )+
    };
}

#[cfg(feature = "postgres")]
mod views;
#[cfg(feature = "postgres")]
pub use self::views::token_rows;

tables! {
    projects (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        mode -> Text,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        archived_at -> Nullable<UtcTime>,
    }

    /// What each project demands of its tokens, where it demands anything.
    project_policies (project_id) {
        project_id -> Text,
        policy -> Json,
    }

    project_environments (project_id, environment) {
        project_id -> Text,
        environment -> Text,
    }

    /// How many tokens name a project; kept by triggers.
    project_token_counts (project_id) {
        project_id -> Text,
        tokens -> BigInt,
    }

    /// How many users hold a role in a project; kept by triggers.
    project_member_counts (project_id) {
        project_id -> Text,
        members -> BigInt,
    }

    environments (name) {
        name -> Text,
        kind -> Text,
        sort_order -> Int,
        enabled -> Bool,
    }

    /// How many tokens work in an environment; kept by triggers.
    environment_token_counts (environment) {
        environment -> Text,
        tokens -> BigInt,
    }

    roles (id) {
        id -> BigInt,
        name -> Text,
        kind -> Text,
        description -> Text,
    }

    role_permissions (role_id, permission) {
        role_id -> BigInt,
        permission -> Text,
    }

    /// SQLite only, one row: the last id that a custom role got.
    last_made_role (id) {
        id -> BigInt,
    }

    users (id) {
        id -> BigInt,
        username -> Nullable<Text>,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        name -> Nullable<Text>,
        account_kind -> Text,
        root_role_id -> BigInt,
        created_at -> UtcTime,
        seen_at -> Nullable<UtcTime>,
        password_hash -> Nullable<Text>,
    }

    /// The names by which users sign in; kept by triggers.
    login_names (name) {
        name -> Text,
        user_id -> BigInt,
    }

    memberships (user_id, project_id, role_id) {
        user_id -> BigInt,
        project_id -> Text,
        role_id -> BigInt,
        added_at -> UtcTime,
    }

    user_groups (id) {
        id -> BigInt,
        name -> Text,
        description -> Text,
        sso_groups -> Json,
        root_role_id -> Nullable<BigInt>,
        created_at -> UtcTime,
    }

    group_members (group_id, user_id) {
        group_id -> BigInt,
        user_id -> BigInt,
        added_at -> UtcTime,
    }

    group_roles (group_id, project_id, role_id) {
        group_id -> BigInt,
        project_id -> Text,
        role_id -> BigInt,
        added_at -> UtcTime,
    }

    /// A view: the permissions of each user, own and by groups.
    user_grants (user_id, role_id, permission) {
        user_id -> BigInt,
        project_id -> Nullable<Text>,
        role_id -> BigInt,
        permission -> Text,
    }

    api_tokens (id) {
        id -> Id,
        name -> Text,
        kind -> Text,
        all_projects -> Bool,
        environment -> Nullable<Text>,
        expires_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        seen_at -> Nullable<UtcTime>,
        secret_digest -> Binary,
        secret_key -> Binary,
        secret_sealed -> Nullable<Binary>,
        alias_digest -> Nullable<Binary>,
        alias_key -> Nullable<Binary>,
        alias_sealed -> Nullable<Binary>,
        attributes -> Json,
        selector -> Nullable<Text>,
        /// SQLite only: how many projects the token names.
        named_projects -> BigInt,
        /// SQLite only, generated: `expires_at`, and later than any other for a token that does not expire.
        ends_at -> UtcTime,
        /// SQLite only, generated: `seen_at`, and earlier than any other for a token that was never used.
        used_at -> UtcTime,
        /// SQLite only, generated: whether the attributes do not say that it is disabled.
        enabled -> Bool,
        /// SQLite only, generated: the owner in the attributes.
        owner -> Nullable<Text>,
    }

    api_token_projects (token_id, position) {
        project_id -> Text,
        token_id -> Id,
        position -> Int,
    }

    retired_secrets (secret_digest) {
        secret_digest -> Binary,
        secret_key -> Binary,
        token_id -> Id,
        good_until -> UtcTime,
    }

    token_usage (token_id, hour, outcome) {
        token_id -> Id,
        hour -> Int,
        outcome -> Text,
        count -> BigInt,
    }

    token_addresses (token_id, address) {
        token_id -> Id,
        address -> Text,
        seen_at -> UtcTime,
    }

    token_rates (token_id) {
        token_id -> Id,
        window_start -> BigInt,
        used -> BigInt,
        carried -> BigInt,
        granted -> BigInt,
    }

    token_uses (token_id) {
        token_id -> Id,
        set_at -> BigInt,
        remaining -> BigInt,
        refills -> BigInt,
        taken -> BigInt,
    }

    /// The notices that were recorded, by what they are about.
    notices (token_id, notice) {
        token_id -> Id,
        notice -> Text,
        at -> UtcTime,
    }

    personal_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        description -> Text,
        secret_digest -> Binary,
        secret_key -> Binary,
        expires_at -> UtcTime,
        created_at -> UtcTime,
        seen_at -> Nullable<UtcTime>,
    }

    sessions (id) {
        id -> Id,
        user_id -> BigInt,
        secret_digest -> Binary,
        secret_key -> Binary,
        created_at -> UtcTime,
        expires_at -> UtcTime,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }

    login_failures (kind, key) {
        kind -> Text,
        key -> RawText,
        count -> BigInt,
        last_at -> UtcTime,
    }

    idempotency_keys (digest) {
        digest -> Binary,
        fingerprint -> Binary,
        at -> UtcTime,
        answer_key -> Binary,
        answer_sealed -> Binary,
    }

    events (id) {
        id -> BigInt,
        kind -> Text,
        actor_name -> Text,
        actor_user_id -> BigInt,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        at -> UtcTime,
        concerns -> Text,
        environment -> Nullable<Text>,
        subject -> Nullable<Text>,
        before -> Nullable<Json>,
        after -> Nullable<Json>,
    }

    event_seals (last_event) {
        last_event -> BigInt,
        previous -> BigInt,
        events -> BigInt,
        newest_at -> UtcTime,
        hash -> Binary,
        mac_key -> Binary,
        mac -> Binary,
    }

    webhooks (id) {
        id -> Id,
        url -> Text,
        events -> Nullable<Json>,
        projects -> Nullable<Json>,
        enabled -> Bool,
        template -> Text,
        secret_key -> Binary,
        secret_sealed -> Binary,
        since_event -> BigInt,
        created_at -> UtcTime,
    }

    webhook_deliveries (webhook_id, event_id) {
        webhook_id -> Id,
        event_id -> BigInt,
        kind -> Text,
        at -> UtcTime,
        lane -> Nullable<Text>,
        body -> Text,
        state -> Text,
        attempts -> Int,
        next_at -> Nullable<UtcTime>,
        began_at -> UtcTime,
        ended_at -> Nullable<UtcTime>,
        status -> Nullable<Int>,
        duration_ms -> Nullable<BigInt>,
        error -> Nullable<Text>,
    }

    event_consumers (name) {
        name -> Text,
        last_event -> BigInt,
    }

    mail_digests (recipient, day) {
        recipient -> Text,
        day -> Int,
        address -> Text,
        message_id -> Text,
        state -> Text,
        attempts -> Int,
        due_at -> UtcTime,
        next_at -> Nullable<UtcTime>,
        began_at -> Nullable<UtcTime>,
        ended_at -> Nullable<UtcTime>,
        error -> Nullable<Text>,
    }

    mail_items (recipient, day, event_id) {
        recipient -> Text,
        day -> Int,
        event_id -> BigInt,
        at -> UtcTime,
        text -> Text,
    }

    event_projects (event_id, position) {
        project_id -> Text,
        event_id -> BigInt,
        position -> Int,
    }
}

diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(role_permissions -> roles (role_id));
diesel::allow_tables_to_appear_in_same_query!(memberships, users, group_members, group_roles, user_groups);
diesel::allow_tables_to_appear_in_same_query!(role_permissions, roles);
diesel::allow_tables_to_appear_in_same_query!(api_token_projects, api_tokens, retired_secrets);
diesel::allow_tables_to_appear_in_same_query!(event_projects, events);
diesel::allow_tables_to_appear_in_same_query!(webhook_deliveries, webhooks);
#[cfg(feature = "postgres")]
diesel::allow_tables_to_appear_in_same_query!(api_token_projects, token_rows);
#[cfg(feature = "postgres")]
diesel::allow_tables_to_appear_in_same_query!(retired_secrets, token_rows);
diesel::allow_tables_to_appear_in_same_query!(
    environment_token_counts,
    environments,
    project_environments,
    project_member_counts,
    project_token_counts,
    projects,
);
