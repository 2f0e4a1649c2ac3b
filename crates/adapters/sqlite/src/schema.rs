//! The tables and views of `migrations/sqlite`, as diesel sees them.

diesel::table! {
    projects (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        created_at -> BigInt,
        archived_at -> Nullable<BigInt>,
        mode -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    /// How many tokens name a project; kept by triggers.
    project_token_counts (project_id) {
        project_id -> Text,
        tokens -> BigInt,
    }
}

diesel::table! {
    /// How many users hold a role in a project; kept by triggers.
    project_member_counts (project_id) {
        project_id -> Text,
        members -> BigInt,
    }
}

diesel::table! {
    environments (name) {
        name -> Text,
        kind -> Text,
        sort_order -> BigInt,
        enabled -> Bool,
    }
}

diesel::table! {
    /// How many tokens work in an environment; kept by triggers.
    environment_token_counts (environment) {
        environment -> Text,
        tokens -> BigInt,
    }
}

diesel::table! {
    project_environments (project_id, environment) {
        project_id -> Text,
        environment -> Text,
    }
}

diesel::table! {
    roles (id) {
        id -> BigInt,
        name -> Text,
        kind -> Text,
        description -> Text,
    }
}

diesel::table! {
    /// One row: the last number that a made role was given.
    last_made_role (id) {
        id -> BigInt,
    }
}

diesel::table! {
    role_permissions (role_id, permission) {
        role_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Nullable<Text>,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        name -> Nullable<Text>,
        account_kind -> Text,
        root_role_id -> BigInt,
        created_at -> BigInt,
        seen_at -> Nullable<BigInt>,
        password_hash -> Nullable<Text>,
    }
}

diesel::table! {
    memberships (user_id, project_id, role_id) {
        user_id -> BigInt,
        project_id -> Text,
        role_id -> BigInt,
        added_at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Binary,
        name -> Text,
        kind -> Text,
        all_projects -> Bool,
        named_projects -> BigInt,
        environment -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
        seen_at -> Nullable<BigInt>,
        secret_digest -> Binary,
        secret_key -> Binary,
        secret_sealed -> Nullable<Binary>,
        alias_digest -> Nullable<Binary>,
        alias_key -> Nullable<Binary>,
        alias_sealed -> Nullable<Binary>,
        /// Generated: `expires_at`, and later than any other for a token without an end.
        ends_at -> BigInt,
        /// Generated: `seen_at`, and earlier than any other for a token that was never used.
        used_at -> BigInt,
    }
}

diesel::table! {
    api_token_projects (token_id, position) {
        project_id -> Text,
        token_id -> Binary,
        position -> BigInt,
    }
}

diesel::table! {
    retired_secrets (secret_digest) {
        secret_digest -> Binary,
        secret_key -> Binary,
        token_id -> Binary,
        good_until -> BigInt,
    }
}

diesel::table! {
    personal_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        description -> Text,
        secret_digest -> Binary,
        secret_key -> Binary,
        expires_at -> BigInt,
        created_at -> BigInt,
        seen_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Binary,
        user_id -> BigInt,
        secret_digest -> Binary,
        secret_key -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    login_failures (kind, key) {
        kind -> Text,
        key -> Text,
        count -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    /// A view: all that users may do.
    user_grants (user_id, role_id, permission) {
        user_id -> BigInt,
        project_id -> Nullable<Text>,
        role_id -> BigInt,
        permission -> Text,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        kind -> Text,
        actor_name -> Text,
        actor_user_id -> BigInt,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        at -> BigInt,
        concerns -> Text,
        environment -> Nullable<Text>,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
    }
}

diesel::table! {
    event_projects (event_id, position) {
        project_id -> Text,
        event_id -> BigInt,
        position -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(api_token_projects, api_tokens, retired_secrets);
diesel::allow_tables_to_appear_in_same_query!(events, event_projects);
diesel::allow_tables_to_appear_in_same_query!(memberships, users);
diesel::allow_tables_to_appear_in_same_query!(
    environment_token_counts,
    environments,
    memberships,
    project_environments,
    project_member_counts,
    project_token_counts,
    projects,
);
