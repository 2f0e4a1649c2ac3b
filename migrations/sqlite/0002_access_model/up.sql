-- A column that is added and never NULL needs a default in SQLite. The store always says what goes into these.

ALTER TABLE projects ADD COLUMN mode TEXT NOT NULL DEFAULT 'open';
ALTER TABLE projects ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
UPDATE projects SET updated_at = coalesce(archived_at, created_at);
-- An archive is small beside the projects that are in use: its list reads no others.
CREATE INDEX projects_archived ON projects (id) WHERE archived_at IS NOT NULL;

-- In which projects an environment is.
CREATE TABLE project_environments (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment TEXT NOT NULL REFERENCES environments (name) ON DELETE CASCADE,
    PRIMARY KEY (project_id, environment)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_environments_by_environment ON project_environments (environment);
-- Until now, a project's tokens could be for any environment.
INSERT INTO project_environments (project_id, environment)
SELECT projects.id, environments.name FROM projects CROSS JOIN environments;

ALTER TABLE users ADD COLUMN seen_at INTEGER;
-- A PHC string; NULL where nobody can sign in.
ALTER TABLE users ADD COLUMN password_hash TEXT;
CREATE INDEX users_by_kind ON users (account_kind);
-- For the people who are the last Admins, and for a role that somebody wants to delete.
CREATE INDEX users_by_root_role ON users (root_role_id, account_kind);

ALTER TABLE memberships ADD COLUMN added_at INTEGER NOT NULL DEFAULT 0;
-- Nobody wrote down when: not before user and project were there.
UPDATE memberships SET added_at = (
    SELECT max(users.created_at, projects.created_at) FROM users, projects
    WHERE users.id = memberships.user_id AND projects.id = memberships.project_id
);
DROP INDEX memberships_by_project;
CREATE INDEX memberships_by_project ON memberships (project_id, user_id);
CREATE INDEX memberships_by_role ON memberships (role_id);

-- The last number that a role of an administrator's making was given: a role that is gone leaves its number to no
-- other. The numbers below the first are for roles that are built in.
CREATE TABLE last_made_role (
    id INTEGER NOT NULL
) STRICT;
INSERT INTO last_made_role (id) VALUES (99);

-- Lists of tokens in other orders than that of ids. No end is later than any other, and no use earlier: then a range is
-- one piece of an index.
ALTER TABLE api_tokens ADD COLUMN ends_at INTEGER NOT NULL
    GENERATED ALWAYS AS (coalesce(expires_at, 9223372036854775807)) VIRTUAL;
ALTER TABLE api_tokens ADD COLUMN used_at INTEGER NOT NULL
    GENERATED ALWAYS AS (coalesce(seen_at, -9223372036854775807)) VIRTUAL;
CREATE INDEX api_tokens_by_kind ON api_tokens (kind, id);
CREATE INDEX api_tokens_by_name ON api_tokens (name, id);
CREATE INDEX api_tokens_by_end ON api_tokens (ends_at, id);
CREATE INDEX api_tokens_by_use ON api_tokens (used_at, id);
DROP INDEX api_tokens_by_environment;
CREATE INDEX api_tokens_by_environment ON api_tokens (environment, id);

-- Secrets that a rotation replaced and that are good for a while yet.
CREATE TABLE retired_secrets (
    secret_digest BLOB NOT NULL PRIMARY KEY CHECK (length(secret_digest) = 32),
    secret_key BLOB NOT NULL CHECK (length(secret_key) = 4),
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    good_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX retired_secrets_by_token ON retired_secrets (token_id);
CREATE INDEX retired_secrets_by_end ON retired_secrets (good_until);

-- How many tokens name a project, and how many work in an environment: lists that say so count no tokens.
CREATE TABLE project_token_counts (
    project_id TEXT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    tokens INTEGER NOT NULL CHECK (tokens >= 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE environment_token_counts (
    environment TEXT NOT NULL PRIMARY KEY REFERENCES environments (name) ON DELETE CASCADE,
    tokens INTEGER NOT NULL CHECK (tokens >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO project_token_counts (project_id, tokens)
SELECT id, (SELECT count(*) FROM api_token_projects WHERE project_id = projects.id) FROM projects;
INSERT INTO environment_token_counts (environment, tokens)
SELECT name, (SELECT count(*) FROM api_tokens WHERE environment = environments.name) FROM environments;

-- Triggers, so that a row cannot come or go uncounted, by whatever statement, or by a deletion that takes it along.
CREATE TRIGGER project_made AFTER INSERT ON projects BEGIN
    INSERT INTO project_token_counts (project_id, tokens) VALUES (new.id, 0);
END;
CREATE TRIGGER environment_made AFTER INSERT ON environments BEGIN
    INSERT INTO environment_token_counts (environment, tokens) VALUES (new.name, 0);
END;
CREATE TRIGGER project_token_added AFTER INSERT ON api_token_projects BEGIN
    UPDATE project_token_counts SET tokens = tokens + 1 WHERE project_id = new.project_id;
END;
CREATE TRIGGER project_token_removed AFTER DELETE ON api_token_projects BEGIN
    UPDATE project_token_counts SET tokens = tokens - 1 WHERE project_id = old.project_id;
END;
CREATE TRIGGER environment_token_added AFTER INSERT ON api_tokens WHEN new.environment IS NOT NULL BEGIN
    UPDATE environment_token_counts SET tokens = tokens + 1 WHERE environment = new.environment;
END;
CREATE TRIGGER environment_token_removed AFTER DELETE ON api_tokens WHEN old.environment IS NOT NULL BEGIN
    UPDATE environment_token_counts SET tokens = tokens - 1 WHERE environment = old.environment;
END;

CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_digest BLOB NOT NULL UNIQUE CHECK (length(secret_digest) = 32),
    secret_key BLOB NOT NULL CHECK (length(secret_key) = 4),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address TEXT,
    user_agent TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- How often signing in failed, in a row. The key is a name, an address, or an address, a blank and a name.
CREATE TABLE login_failures (
    kind TEXT NOT NULL CHECK (kind IN ('account', 'address', 'account-from')),
    key TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    last_at INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX login_failures_by_time ON login_failures (last_at);

-- Number last: an index of a table with numbers for keys ends with the number by itself.
CREATE INDEX events_by_kind ON events (kind);
CREATE INDEX events_by_actor ON events (actor_user_id);
CREATE INDEX events_by_time ON events (at);
-- For those who may look into every project, and no further: signing in concerns none.
CREATE INDEX events_of_projects ON events (id) WHERE concerns <> 'nothing';
