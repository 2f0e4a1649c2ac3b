//! Rows of Unleash as plain records, and the statements that read them.
//!
//! A record is what the database says, not yet checked against any rule. Those with a secret have no `Debug`.

use tokio_postgres::{Error, Row};

use crate::layout::{Layout, millis};

/// A record with the statement that reads all of its kind.
pub(crate) trait Record: Sized {
    /// The order of rows that the statement leaves open, where there are not too many to sort.
    const ORDER: &str = "";

    /// Returns the statement; `None` if the database has no such table.
    fn select(layout: &Layout) -> Option<String>;

    fn read(row: &Row) -> Result<Self, Error>;
}

/// A row of `environments`.
#[derive(Debug)]
pub(crate) struct EnvironmentRecord {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) enabled: bool,
    pub(crate) sort_order: Option<i32>,
}

impl Record for EnvironmentRecord {
    fn select(_: &Layout) -> Option<String> {
        Some("SELECT name, type, enabled, sort_order FROM environments ORDER BY sort_order, name".to_owned())
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            name: row.try_get(0)?,
            kind: row.try_get(1)?,
            enabled: row.try_get::<_, Option<bool>>(2)?.unwrap_or(true),
            sort_order: row.try_get(3)?,
        })
    }
}

/// The environment of some API token, without a row in `environments`.
#[derive(Debug)]
pub(crate) struct LostEnvironment(pub(crate) String);

impl Record for LostEnvironment {
    fn select(_: &Layout) -> Option<String> {
        let select = "SELECT DISTINCT environment FROM api_tokens AS t WHERE environment <> '*' AND environment <> '' \
                      AND NOT EXISTS (SELECT FROM environments AS e WHERE e.name = t.environment) ORDER BY 1";
        Some(select.to_owned())
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self(row.try_get(0)?))
    }
}

/// A row of `projects` with its settings.
#[derive(Debug)]
pub(crate) struct ProjectRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) mode: Option<String>,
    pub(crate) created: Option<i64>,
    pub(crate) updated: Option<i64>,
    pub(crate) archived: Option<i64>,
    pub(crate) environments: Vec<String>,
}

impl Record for ProjectRecord {
    fn select(layout: &Layout) -> Option<String> {
        let archived = layout.or(("projects", "archived_at"), &millis("p.archived_at"), "NULL::bigint");
        let mode = layout.or(
            ("project_settings", "project_mode"),
            "(SELECT s.project_mode::text FROM project_settings AS s WHERE s.project = p.id LIMIT 1)",
            "NULL::text",
        );
        let environments = layout.or(
            ("project_environments", "environment_name"),
            "ARRAY(SELECT e.environment_name::text FROM project_environments AS e WHERE e.project_id = p.id ORDER BY 1)",
            "ARRAY[]::text[]",
        );
        let updated = layout.or(("projects", "updated_at"), &millis("p.updated_at"), "NULL::bigint");
        Some(format!(
            "SELECT p.id, p.name, p.description, {mode}, {created}, {updated}, {archived}, {environments} \
             FROM projects AS p ORDER BY p.id",
            created = millis("p.created_at")
        ))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            description: row.try_get(2)?,
            mode: row.try_get(3)?,
            created: row.try_get(4)?,
            updated: row.try_get(5)?,
            archived: row.try_get(6)?,
            environments: row.try_get(7)?,
        })
    }
}

/// A row of `roles` with its permissions.
#[derive(Debug, Clone)]
pub(crate) struct RoleRecord {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: String,
    /// Each for all environments, or for one.
    pub(crate) permissions: Vec<String>,
}

impl Record for RoleRecord {
    fn select(layout: &Layout) -> Option<String> {
        // From 5.7 on by name. Before, the ids of permissions were the key, and names could be there twice.
        let permissions = if layout.has("role_permission", "permission") {
            "SELECT DISTINCT rp.permission::text FROM role_permission AS rp WHERE rp.role_id = r.id AND rp.permission IS NOT NULL"
        } else {
            "SELECT DISTINCT p.permission::text FROM role_permission AS rp INNER JOIN permissions AS p ON p.id = rp.permission_id \
             WHERE rp.role_id = r.id"
        };
        Some(format!(
            "SELECT r.id, r.name::text, r.description::text, r.type::text, ARRAY({permissions} ORDER BY 1) FROM roles AS r ORDER BY r.id"
        ))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            description: row.try_get(2)?,
            kind: row.try_get(3)?,
            permissions: row.try_get(4)?,
        })
    }
}

/// A row of `users`. It has a hash that can be guessed at.
pub(crate) struct UserRecord {
    pub(crate) id: i32,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) password_hash: Option<String>,
    pub(crate) created: Option<i64>,
    pub(crate) seen: Option<i64>,
    pub(crate) is_deleted: bool,
    pub(crate) is_service: bool,
    pub(crate) is_system: bool,
}

impl Record for UserRecord {
    fn select(layout: &Layout) -> Option<String> {
        let is_deleted = layout.or(("users", "deleted_at"), "deleted_at IS NOT NULL", "false");
        let is_service = layout.or(("users", "is_service"), "coalesce(is_service, false)", "false");
        let is_system = layout.or(("users", "is_system"), "coalesce(is_system, false)", "false");
        let (created, seen) = (millis("created_at"), millis("seen_at"));
        Some(format!(
            "SELECT id, name::text, username::text, email::text, password_hash::text, {created}, {seen}, {is_deleted}, \
             {is_service}, {is_system} FROM users ORDER BY id"
        ))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            username: row.try_get(2)?,
            email: row.try_get(3)?,
            password_hash: row.try_get(4)?,
            created: row.try_get(5)?,
            seen: row.try_get(6)?,
            is_deleted: row.try_get(7)?,
            is_service: row.try_get(8)?,
            is_system: row.try_get(9)?,
        })
    }
}

/// A role that a user or a group holds.
#[derive(Debug)]
pub(crate) struct HeldRole {
    /// The number of the user or the group.
    pub(crate) holder: i32,
    pub(crate) role: i32,
    /// Of a role of the instance: where its permissions for projects count.
    pub(crate) project: Option<String>,
    pub(crate) since: Option<i64>,
}

impl HeldRole {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            holder: row.try_get(0)?,
            role: row.try_get(1)?,
            project: row.try_get(2)?,
            since: row.try_get(3)?,
        })
    }
}

/// A row of `role_user`.
#[derive(Debug)]
pub(crate) struct UserRoleRecord(pub(crate) HeldRole);

impl Record for UserRoleRecord {
    fn select(_: &Layout) -> Option<String> {
        let since = millis("created_at");
        Some(format!("SELECT user_id, role_id, project::text, {since} FROM role_user ORDER BY 1, 4, 2, 3"))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        HeldRole::read(row).map(Self)
    }
}

/// A row of `groups`.
#[derive(Debug)]
pub(crate) struct GroupRecord {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// JSON.
    pub(crate) sso_groups: Option<String>,
    pub(crate) root_role: Option<i32>,
    pub(crate) created: Option<i64>,
}

impl Record for GroupRecord {
    fn select(layout: &Layout) -> Option<String> {
        let description = layout.or(("groups", "description"), "description::text", "NULL::text");
        let sso_groups = layout.or(("groups", "mappings_sso"), "mappings_sso::text", "NULL::text");
        let root_role = layout.or(("groups", "root_role_id"), "root_role_id", "NULL::integer");
        let created = layout.or(("groups", "created_at"), &millis("created_at"), "NULL::bigint");
        layout.has("groups", "name").then(|| {
            format!("SELECT id, name::text, {description}, {sso_groups}, {root_role}, {created} FROM groups ORDER BY id")
        })
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            description: row.try_get(2)?,
            sso_groups: row.try_get(3)?,
            root_role: row.try_get(4)?,
            created: row.try_get(5)?,
        })
    }
}

/// A row of `group_user`.
#[derive(Debug)]
pub(crate) struct GroupMemberRecord {
    pub(crate) group: i32,
    pub(crate) user: i32,
    pub(crate) since: Option<i64>,
}

impl Record for GroupMemberRecord {
    fn select(layout: &Layout) -> Option<String> {
        let since = layout.or(("group_user", "created_at"), &millis("created_at"), "NULL::bigint");
        layout
            .has("group_user", "user_id")
            .then(|| format!("SELECT group_id, user_id, {since} FROM group_user ORDER BY 1, 2"))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self { group: row.try_get(0)?, user: row.try_get(1)?, since: row.try_get(2)? })
    }
}

/// A row of `group_role`.
#[derive(Debug)]
pub(crate) struct GroupRoleRecord(pub(crate) HeldRole);

impl Record for GroupRoleRecord {
    fn select(layout: &Layout) -> Option<String> {
        let since = layout.or(("group_role", "created_at"), &millis("created_at"), "NULL::bigint");
        layout.has("group_role", "role_id").then(|| {
            format!("SELECT group_id, role_id, project::text, {since} FROM group_role ORDER BY 1, 4, 2, 3")
        })
    }

    fn read(row: &Row) -> Result<Self, Error> {
        HeldRole::read(row).map(Self)
    }
}

/// A row of `personal_access_tokens`.
pub(crate) struct PersonalTokenRecord {
    pub(crate) user: i32,
    pub(crate) description: Option<String>,
    pub(crate) secret: Option<String>,
    /// The SHA-256 of a secret of the second form.
    pub(crate) verifier: Option<String>,
    pub(crate) expires: Option<i64>,
    pub(crate) created: Option<i64>,
    pub(crate) seen: Option<i64>,
}

impl Record for PersonalTokenRecord {
    fn select(layout: &Layout) -> Option<String> {
        let verifier = layout.or(("personal_access_tokens", "verifier"), "verifier", "NULL::text");
        layout.has("personal_access_tokens", "secret").then(|| {
            format!(
                "SELECT user_id, description, secret, {}, {}, {}, {verifier} FROM personal_access_tokens ORDER BY id",
                millis("expires_at"),
                millis("created_at"),
                millis("seen_at")
            )
        })
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            user: row.try_get(0)?,
            description: row.try_get(1)?,
            secret: row.try_get(2)?,
            expires: row.try_get(3)?,
            created: row.try_get(4)?,
            seen: row.try_get(5)?,
            verifier: row.try_get(6)?,
        })
    }
}

/// A row of `settings`.
#[derive(Debug)]
pub(crate) struct SettingRecord {
    pub(crate) name: String,
    pub(crate) content: Option<String>,
}

impl Record for SettingRecord {
    fn select(layout: &Layout) -> Option<String> {
        let select =
            "SELECT name::text, content::text FROM settings WHERE name <> 'unleash.secret' ORDER BY name";
        layout.has("settings", "content").then(|| select.to_owned())
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self { name: row.try_get(0)?, content: row.try_get(1)? })
    }
}
