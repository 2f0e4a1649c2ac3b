-- Moments are whole milliseconds since 1970-01-01T00:00:00Z, negative before it.
-- STRICT everywhere: a value of the wrong type is refused when it is written, not found when it is read.

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    archived_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE environments (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    sort_order INTEGER NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    description TEXT NOT NULL
) STRICT;

CREATE TABLE role_permissions (
    role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (role_id, permission)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    -- AUTOINCREMENT: the id of a user who is gone is never given to another one.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT UNIQUE,
    email TEXT,
    -- The address in lower case, by which two are the same.
    email_key TEXT UNIQUE,
    name TEXT,
    account_kind TEXT NOT NULL,
    root_role_id INTEGER NOT NULL REFERENCES roles (id),
    created_at INTEGER NOT NULL,
    CHECK (username IS NOT NULL OR email IS NOT NULL),
    CHECK ((email IS NULL) = (email_key IS NULL))
) STRICT;

CREATE TABLE memberships (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, project_id, role_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_project ON memberships (project_id);

CREATE TABLE api_tokens (
    -- A UUID of version 7: the order of ids is the order of creation.
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    all_projects INTEGER NOT NULL CHECK (all_projects IN (0, 1)),
    -- How many rows of api_token_projects the token has. Nearly always one: then a list of a project's tokens needs no
    -- look at the links to know the whole scope. And a link that was lost shows.
    named_projects INTEGER NOT NULL CHECK (named_projects >= 0),
    environment TEXT REFERENCES environments (name),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    seen_at INTEGER,
    secret_digest BLOB NOT NULL UNIQUE CHECK (length(secret_digest) = 32),
    secret_key BLOB NOT NULL CHECK (length(secret_key) = 4),
    secret_sealed BLOB,
    alias_digest BLOB CHECK (length(alias_digest) = 32),
    alias_key BLOB CHECK (length(alias_key) = 4),
    alias_sealed BLOB,
    CHECK (all_projects = (named_projects = 0)),
    CHECK ((kind = 'admin') = (environment IS NULL)),
    CHECK (kind <> 'admin' OR all_projects),
    CHECK ((alias_digest IS NULL) = (alias_key IS NULL)),
    CHECK (alias_digest IS NOT NULL OR alias_sealed IS NULL)
) STRICT, WITHOUT ROWID;
-- Few tokens have an alias. An index of them alone is small, and no statistics make the planner think that a look-up
-- by alias finds all those without one.
CREATE UNIQUE INDEX api_tokens_by_alias ON api_tokens (alias_digest) WHERE alias_digest IS NOT NULL;
-- For the quota of tokens of all projects: counts them without a look at any other.
CREATE INDEX api_tokens_of_all_projects ON api_tokens (all_projects) WHERE all_projects;
-- Without it, deleting an environment would read every token.
CREATE INDEX api_tokens_by_environment ON api_tokens (environment);

CREATE TABLE api_token_projects (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    -- The projects of a token lie together, in order.
    PRIMARY KEY (token_id, position)
) STRICT, WITHOUT ROWID;
-- A project's tokens in the order of lists: the hot read goes down this index and sorts nothing. Named and not a
-- UNIQUE of the table, because SQLite looks into the table too for the latter.
CREATE UNIQUE INDEX api_token_projects_by_project ON api_token_projects (project_id, token_id);

CREATE TABLE personal_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    secret_digest BLOB NOT NULL UNIQUE CHECK (length(secret_digest) = 32),
    secret_key BLOB NOT NULL CHECK (length(secret_key) = 4),
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER,
    UNIQUE (user_id, description)
) STRICT;

-- All that users may do: by the root role (no project), and by roles in projects.
CREATE VIEW user_grants AS
SELECT users.id AS user_id, NULL AS project_id, held.role_id, held.permission
FROM users
INNER JOIN role_permissions AS held ON held.role_id = users.root_role_id
UNION ALL
SELECT memberships.user_id, memberships.project_id, held.role_id, held.permission
FROM memberships
INNER JOIN role_permissions AS held ON held.role_id = memberships.role_id;

-- Events outlive what they speak of, so nothing in them refers to another table.
CREATE TABLE events (
    -- AUTOINCREMENT: a number is never used twice. One writer at a time: numbers appear in rising order.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    actor_user_id INTEGER NOT NULL,
    address TEXT,
    user_agent TEXT,
    at INTEGER NOT NULL,
    -- Which projects: 'some' are those in event_projects.
    concerns TEXT NOT NULL CHECK (concerns IN ('nothing', 'all', 'some')),
    environment TEXT,
    before TEXT,
    after TEXT
) STRICT;

CREATE TABLE event_projects (
    project_id TEXT NOT NULL,
    event_id INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX event_projects_by_project ON event_projects (project_id, event_id);

INSERT INTO projects (id, name, description, created_at, archived_at)
VALUES ('default', 'Default', 'Default project', CAST(round(unixepoch('subsec') * 1000) AS INTEGER), NULL);

INSERT INTO environments (name, kind, sort_order, enabled)
VALUES
    ('development', 'development', 2, 1),
    ('production', 'production', 3, 1);

INSERT INTO roles (id, name, kind, description)
VALUES
    (1, 'Admin', 'root', 'May do everything.'),
    (2, 'Editor', 'root', 'May work with the tokens of every project, and manage projects.'),
    (3, 'Viewer', 'root', 'May look around, but sees no tokens.'),
    (4, 'Owner', 'project', 'May work with the project''s tokens, and manage the project.'),
    (5, 'Member', 'project', 'May work with the project''s tokens.');

INSERT INTO role_permissions (role_id, permission)
VALUES
    (1, 'ADMIN'),
    (2, 'READ_PROJECT_API_TOKEN'),
    (2, 'CREATE_PROJECT_API_TOKEN'),
    (2, 'DELETE_PROJECT_API_TOKEN'),
    (2, 'READ_CLIENT_API_TOKEN'),
    (2, 'READ_FRONTEND_API_TOKEN'),
    (2, 'CREATE_PROJECT'),
    (2, 'UPDATE_PROJECT'),
    (2, 'DELETE_PROJECT'),
    (4, 'READ_PROJECT_API_TOKEN'),
    (4, 'CREATE_PROJECT_API_TOKEN'),
    (4, 'DELETE_PROJECT_API_TOKEN'),
    (4, 'UPDATE_PROJECT'),
    (4, 'DELETE_PROJECT'),
    (5, 'READ_PROJECT_API_TOKEN'),
    (5, 'CREATE_PROJECT_API_TOKEN'),
    (5, 'DELETE_PROJECT_API_TOKEN');
