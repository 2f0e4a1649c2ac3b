-- Groups of users. Their roles give rights to each member, besides the roles that members hold themselves.

CREATE TABLE user_groups (
    -- The id of a deleted group is given to no other.
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT user_groups_name_unique UNIQUE,
    description text NOT NULL,
    -- Groups of a single sign-on provider, an array of names.
    sso_groups jsonb NOT NULL,
    root_role_id bigint REFERENCES roles (id),
    created_at timestamptz NOT NULL
);
-- For the question whether a role is held.
CREATE INDEX user_groups_by_root_role ON user_groups (root_role_id);

CREATE TABLE group_members (
    group_id bigint NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added_at timestamptz NOT NULL,
    CONSTRAINT group_members_unique PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_by_user ON group_members (user_id, group_id);

CREATE TABLE group_roles (
    group_id bigint NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    project_id text COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    role_id bigint NOT NULL REFERENCES roles (id),
    added_at timestamptz NOT NULL,
    CONSTRAINT group_roles_unique PRIMARY KEY (group_id, project_id, role_id)
);
CREATE INDEX group_roles_by_project ON group_roles (project_id, group_id);
CREATE INDEX group_roles_by_role ON group_roles (role_id);

-- All that users may do, the one place where it is collected: by the root role (no project), by roles in projects, and by
-- both kinds of roles of their groups.
CREATE OR REPLACE VIEW user_grants AS
SELECT users.id AS user_id, NULL::text AS project_id, held.role_id, held.permission
FROM users
INNER JOIN role_permissions AS held ON held.role_id = users.root_role_id
UNION ALL
SELECT memberships.user_id, memberships.project_id, held.role_id, held.permission
FROM memberships
INNER JOIN role_permissions AS held ON held.role_id = memberships.role_id
UNION ALL
SELECT group_members.user_id, NULL::text AS project_id, held.role_id, held.permission
FROM group_members
INNER JOIN user_groups ON user_groups.id = group_members.group_id
INNER JOIN role_permissions AS held ON held.role_id = user_groups.root_role_id
UNION ALL
SELECT group_members.user_id, group_roles.project_id, held.role_id, held.permission
FROM group_members
INNER JOIN group_roles ON group_roles.group_id = group_members.group_id
INNER JOIN role_permissions AS held ON held.role_id = group_roles.role_id;
