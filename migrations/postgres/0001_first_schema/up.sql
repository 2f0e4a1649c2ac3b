CREATE TABLE projects (
    -- Ids and names are compared byte by byte, so that lists have one order in any locale.
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_~.-]{1,100}$'),
    name text NOT NULL,
    description text NOT NULL,
    created_at timestamptz NOT NULL,
    archived_at timestamptz
);

CREATE TABLE environments (
    name text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    sort_order integer NOT NULL,
    enabled boolean NOT NULL
);

CREATE TABLE roles (
    id bigint PRIMARY KEY,
    name text NOT NULL CONSTRAINT roles_name_unique UNIQUE,
    kind text NOT NULL,
    description text NOT NULL
);

CREATE TABLE role_permissions (
    role_id bigint NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    permission text NOT NULL,
    PRIMARY KEY (role_id, permission)
);

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text CONSTRAINT users_username_unique UNIQUE,
    email text,
    -- The address in lower case, by which two are the same.
    email_key text CONSTRAINT users_email_unique UNIQUE,
    name text,
    account_kind text NOT NULL,
    root_role_id bigint NOT NULL REFERENCES roles (id),
    created_at timestamptz NOT NULL,
    CHECK (username IS NOT NULL OR email IS NOT NULL),
    CHECK ((email IS NULL) = (email_key IS NULL))
);

CREATE TABLE memberships (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id text COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    role_id bigint NOT NULL REFERENCES roles (id),
    CONSTRAINT memberships_unique PRIMARY KEY (user_id, project_id, role_id)
);
CREATE INDEX memberships_by_project ON memberships (project_id);

CREATE TABLE api_tokens (
    -- A UUID of version 7: the order of ids is the order of creation.
    id uuid CONSTRAINT api_tokens_id_unique PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    all_projects boolean NOT NULL,
    environment text REFERENCES environments (name),
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    seen_at timestamptz,
    secret_digest bytea NOT NULL CONSTRAINT api_tokens_secret_unique UNIQUE CHECK (length(secret_digest) = 32),
    secret_key bytea NOT NULL CHECK (length(secret_key) = 4),
    secret_sealed bytea,
    alias_digest bytea CONSTRAINT api_tokens_alias_unique UNIQUE CHECK (length(alias_digest) = 32),
    alias_key bytea CHECK (length(alias_key) = 4),
    alias_sealed bytea,
    CHECK ((kind = 'admin') = (environment IS NULL)),
    CHECK (kind <> 'admin' OR all_projects),
    CHECK ((alias_digest IS NULL) = (alias_key IS NULL)),
    CHECK (alias_digest IS NOT NULL OR alias_sealed IS NULL)
);
-- For the quota of tokens of all projects: counts them without a look at any other.
CREATE INDEX api_tokens_of_all_projects ON api_tokens (id) WHERE all_projects;
-- Without it, deleting an environment would read every token.
CREATE INDEX api_tokens_by_environment ON api_tokens (environment);

CREATE TABLE api_token_projects (
    project_id text COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
    token_id uuid NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    position integer NOT NULL,
    -- A project's tokens in the order of lists: the hot read goes down this key and sorts nothing.
    PRIMARY KEY (project_id, token_id),
    -- The projects of a token, in order, from the index alone.
    UNIQUE (token_id, position) INCLUDE (project_id)
);

-- A token with the projects that it names, in order.
CREATE VIEW token_rows AS
SELECT
    api_tokens.*,
    ARRAY(
        SELECT links.project_id
        FROM api_token_projects AS links
        WHERE links.token_id = api_tokens.id
        ORDER BY links.position
    ) AS project_ids
FROM api_tokens;

CREATE TABLE personal_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    description text NOT NULL,
    secret_digest bytea NOT NULL CONSTRAINT personal_tokens_secret_unique UNIQUE CHECK (length(secret_digest) = 32),
    secret_key bytea NOT NULL CHECK (length(secret_key) = 4),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz,
    CONSTRAINT personal_tokens_description_unique UNIQUE (user_id, description)
);

-- All that users may do: by the root role (no project), and by roles in projects.
CREATE VIEW user_grants AS
SELECT users.id AS user_id, NULL::text AS project_id, held.role_id, held.permission
FROM users
INNER JOIN role_permissions AS held ON held.role_id = users.root_role_id
UNION ALL
SELECT memberships.user_id, memberships.project_id, held.role_id, held.permission
FROM memberships
INNER JOIN role_permissions AS held ON held.role_id = memberships.role_id;

-- Events outlive what they speak of, so nothing in them refers to another table.
CREATE TABLE events (
    -- Drawn under a lock that is held until the commit, so that numbers appear in rising order (decision 3).
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    actor_name text NOT NULL,
    actor_user_id bigint NOT NULL,
    address text,
    user_agent text,
    at timestamptz NOT NULL,
    -- Which projects: 'some' are those in event_projects.
    concerns text NOT NULL CHECK (concerns IN ('nothing', 'all', 'some')),
    environment text,
    before jsonb,
    after jsonb
);

CREATE TABLE event_projects (
    project_id text COLLATE "C" NOT NULL,
    event_id bigint NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position integer NOT NULL,
    PRIMARY KEY (project_id, event_id),
    UNIQUE (event_id, position)
);

INSERT INTO projects (id, name, description, created_at, archived_at)
VALUES ('default', 'Default', 'Default project', date_trunc('milliseconds', now()), NULL);

INSERT INTO environments (name, kind, sort_order, enabled)
VALUES
    ('development', 'development', 2, true),
    ('production', 'production', 3, true);

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
