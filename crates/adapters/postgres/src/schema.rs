//! The tables and views of `migrations/postgres`, as diesel sees them.

diesel::table! {
    projects (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        mode -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    /// A view: `projects`, with what lists say about each.
    project_rows (id) {
        id -> Text,
        name -> Text,
        description -> Text,
        mode -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
        tokens -> BigInt,
        members -> BigInt,
        environments -> Array<Text>,
    }
}

diesel::table! {
    project_environments (project_id, environment) {
        project_id -> Text,
        environment -> Text,
    }
}

diesel::table! {
    /// Kept by triggers.
    project_token_counts (project_id) {
        project_id -> Text,
        tokens -> BigInt,
    }
}

diesel::table! {
    environments (name) {
        name -> Text,
        kind -> Text,
        sort_order -> Integer,
        enabled -> Bool,
    }
}

diesel::table! {
    /// A view: `environments`, with what lists say about each.
    environment_rows (name) {
        name -> Text,
        kind -> Text,
        sort_order -> Integer,
        enabled -> Bool,
        tokens -> BigInt,
        projects -> BigInt,
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
        created_at -> Timestamptz,
        seen_at -> Nullable<Timestamptz>,
        password_hash -> Nullable<Text>,
    }
}

diesel::table! {
    memberships (user_id, project_id, role_id) {
        user_id -> BigInt,
        project_id -> Text,
        role_id -> BigInt,
        added_at -> Timestamptz,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> Uuid,
        name -> Text,
        kind -> Text,
        all_projects -> Bool,
        environment -> Nullable<Text>,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        seen_at -> Nullable<Timestamptz>,
        secret_digest -> Bytea,
        secret_key -> Bytea,
        secret_sealed -> Nullable<Bytea>,
        alias_digest -> Nullable<Bytea>,
        alias_key -> Nullable<Bytea>,
        alias_sealed -> Nullable<Bytea>,
    }
}

diesel::table! {
    api_token_projects (token_id, position) {
        project_id -> Text,
        token_id -> Uuid,
        position -> Integer,
    }
}

diesel::table! {
    /// A view: `api_tokens`, with the projects that each names.
    token_rows (id) {
        id -> Uuid,
        name -> Text,
        kind -> Text,
        all_projects -> Bool,
        environment -> Nullable<Text>,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        seen_at -> Nullable<Timestamptz>,
        secret_digest -> Bytea,
        secret_key -> Bytea,
        secret_sealed -> Nullable<Bytea>,
        alias_digest -> Nullable<Bytea>,
        alias_key -> Nullable<Bytea>,
        alias_sealed -> Nullable<Bytea>,
        project_ids -> Array<Text>,
    }
}

diesel::table! {
    retired_secrets (secret_digest) {
        secret_digest -> Bytea,
        secret_key -> Bytea,
        token_id -> Uuid,
        good_until -> Timestamptz,
    }
}

diesel::table! {
    personal_tokens (id) {
        id -> BigInt,
        user_id -> BigInt,
        description -> Text,
        secret_digest -> Bytea,
        secret_key -> Bytea,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
        seen_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> BigInt,
        secret_digest -> Bytea,
        secret_key -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    login_failures (kind, key) {
        kind -> Text,
        key -> Bytea,
        count -> BigInt,
        last_at -> Timestamptz,
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
        at -> Timestamptz,
        concerns -> Text,
        environment -> Nullable<Text>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
    }
}

diesel::table! {
    /// A view: `events`, with the projects that each names.
    event_rows (id) {
        id -> BigInt,
        kind -> Text,
        actor_name -> Text,
        actor_user_id -> BigInt,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        at -> Timestamptz,
        concerns -> Text,
        environment -> Nullable<Text>,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        about_projects -> Bool,
        project_ids -> Array<Text>,
    }
}

diesel::table! {
    event_projects (event_id, position) {
        project_id -> Text,
        event_id -> BigInt,
        position -> Integer,
    }
}

diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(role_permissions -> roles (role_id));
diesel::allow_tables_to_appear_in_same_query!(role_permissions, roles);
diesel::allow_tables_to_appear_in_same_query!(memberships, users);
diesel::allow_tables_to_appear_in_same_query!(api_tokens, api_token_projects, retired_secrets, token_rows);
diesel::allow_tables_to_appear_in_same_query!(event_projects, event_rows);
