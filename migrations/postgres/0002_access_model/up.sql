-- Projects and the environments in them.

ALTER TABLE projects
    ADD COLUMN mode text NOT NULL DEFAULT 'open',
    ADD COLUMN updated_at timestamptz;
UPDATE projects SET updated_at = created_at;
ALTER TABLE projects
    ALTER COLUMN updated_at SET DEFAULT date_trunc('milliseconds', now()),
    ALTER COLUMN updated_at SET NOT NULL;
-- A page of a list is one walk, however many projects are on the other side.
CREATE INDEX projects_in_use ON projects (id) WHERE archived_at IS NULL;
CREATE INDEX projects_in_archive ON projects (id) WHERE archived_at IS NOT NULL;

CREATE TABLE project_environments (
    project_id text COLLATE "C" NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    environment text COLLATE "C" NOT NULL REFERENCES environments (name) ON DELETE CASCADE,
    CONSTRAINT project_environments_unique PRIMARY KEY (project_id, environment)
);
CREATE INDEX project_environments_by_environment ON project_environments (environment, project_id);

-- Until now every environment was in every project.
INSERT INTO project_environments (project_id, environment)
SELECT projects.id, environments.name
FROM projects CROSS JOIN environments;

-- Roles that people make get ids above those that are built in.

ALTER TABLE roles ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(pg_get_serial_sequence('roles', 'id'), max(id)) FROM roles;

ALTER TABLE memberships ADD COLUMN added_at timestamptz;
-- The earliest that it can have been.
UPDATE memberships
SET added_at = greatest(users.created_at, projects.created_at)
FROM users, projects
WHERE users.id = memberships.user_id AND projects.id = memberships.project_id;
ALTER TABLE memberships
    ALTER COLUMN added_at SET DEFAULT date_trunc('milliseconds', now()),
    ALTER COLUMN added_at SET NOT NULL;
DROP INDEX memberships_by_project;
CREATE INDEX memberships_by_project ON memberships (project_id, user_id);
-- For the question whether anybody holds a role.
CREATE INDEX memberships_by_role ON memberships (role_id);

-- People sign in.

ALTER TABLE users
    ADD COLUMN seen_at timestamptz,
    ADD COLUMN password_hash text;
CREATE INDEX users_by_kind ON users (account_kind, id);
-- For the question whether anybody holds a role, and who the Admins are.
CREATE INDEX users_by_root_role ON users (root_role_id);

-- Whether a text contains another in any case of letters: of ASCII whatever the locale, of others by the locale.
CREATE FUNCTION contains_in_any_case(whole text, part text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT strpos(lower(whole), lower(part)) > 0 OR strpos(lower(whole COLLATE "C"), lower(part COLLATE "C")) > 0
$$;

CREATE TABLE sessions (
    id uuid CONSTRAINT sessions_id_unique PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_digest bytea NOT NULL CONSTRAINT sessions_secret_unique UNIQUE CHECK (length(secret_digest) = 32),
    secret_key bytea NOT NULL CHECK (length(secret_key) = 4),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    address text,
    user_agent text
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Nobody's: an account that is named here need not exist. The key is bytes, for a name that was typed can hold any
-- character. No index on the moment, so that counting writes to no index.
CREATE TABLE login_failures (
    kind text COLLATE "C" NOT NULL,
    key bytea NOT NULL,
    count bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (kind, key)
) WITH (fillfactor = 70);

-- Tokens: names in the order of code points, secrets that a rotation retired, and an index for each order of lists but
-- that by last use, which would make a note of use write to every index.

DROP VIEW token_rows;
ALTER TABLE api_tokens ALTER COLUMN name TYPE text COLLATE "C";
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

CREATE INDEX api_tokens_by_name ON api_tokens (name, id);
CREATE INDEX api_tokens_by_end ON api_tokens (expires_at, id);
CREATE INDEX api_tokens_by_kind ON api_tokens (kind, id);
DROP INDEX api_tokens_by_environment;
CREATE INDEX api_tokens_by_environment ON api_tokens (environment, id);

CREATE TABLE retired_secrets (
    secret_digest bytea CONSTRAINT retired_secrets_unique PRIMARY KEY CHECK (length(secret_digest) = 32),
    secret_key bytea NOT NULL CHECK (length(secret_key) = 4),
    token_id uuid NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    good_until timestamptz NOT NULL
);
CREATE INDEX retired_secrets_by_token ON retired_secrets (token_id);
CREATE INDEX retired_secrets_by_end ON retired_secrets (good_until);

-- How many tokens name each project, and work in each environment, so that no list has to count them. Triggers keep
-- these rows, whoever writes to the tables.

CREATE TABLE project_token_counts (
    project_id text COLLATE "C" PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    tokens bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE environment_token_counts (
    environment text COLLATE "C" PRIMARY KEY REFERENCES environments (name) ON DELETE CASCADE,
    tokens bigint NOT NULL
) WITH (fillfactor = 50);

CREATE FUNCTION begin_counting_tokens_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_token_counts (project_id, tokens) SELECT id, 0 FROM changed;
    RETURN NULL;
END $$;

CREATE FUNCTION begin_counting_tokens_of_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO environment_token_counts (environment, tokens) SELECT name, 0 FROM changed;
    RETURN NULL;
END $$;

-- The rows in `changed` came (argument 1) or went (argument -1). Whoever counts holds the lock under which events are
-- numbered (`locks.rs`) to the end of the transaction, so two that count never wait for each other's rows crosswise.
CREATE FUNCTION count_tokens_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        PERFORM pg_advisory_xact_lock(7809651199139214964);
        UPDATE project_token_counts AS counts
        SET tokens = counts.tokens + tg_argv[0]::bigint * seen.tokens
        FROM (SELECT project_id, count(*) AS tokens FROM changed GROUP BY project_id) AS seen
        WHERE counts.project_id = seen.project_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_tokens_of_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed WHERE environment IS NOT NULL) THEN
        PERFORM pg_advisory_xact_lock(7809651199139214964);
        UPDATE environment_token_counts AS counts
        SET tokens = counts.tokens + tg_argv[0]::bigint * seen.tokens
        FROM (SELECT environment, count(*) AS tokens FROM changed GROUP BY environment) AS seen
        WHERE counts.environment = seen.environment;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION move_token_between_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7809651199139214964);
    UPDATE environment_token_counts AS counts
    SET tokens = counts.tokens
        + (counts.environment IS NOT DISTINCT FROM new.environment)::int
        - (counts.environment IS NOT DISTINCT FROM old.environment)::int
    WHERE counts.environment IN (old.environment, new.environment);
    RETURN NULL;
END $$;

CREATE TRIGGER projects_are_counted_in AFTER INSERT ON projects
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION begin_counting_tokens_of_projects();

CREATE TRIGGER environments_are_counted_in AFTER INSERT ON environments
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION begin_counting_tokens_of_environments();

CREATE TRIGGER links_came AFTER INSERT ON api_token_projects
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_tokens_of_projects('1');

CREATE TRIGGER links_went AFTER DELETE ON api_token_projects
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_tokens_of_projects('-1');

CREATE TRIGGER links_came_by_change AFTER UPDATE ON api_token_projects
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_tokens_of_projects('1');

CREATE TRIGGER links_went_by_change AFTER UPDATE ON api_token_projects
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_tokens_of_projects('-1');

CREATE TRIGGER tokens_came AFTER INSERT ON api_tokens
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_tokens_of_environments('1');

CREATE TRIGGER tokens_went AFTER DELETE ON api_tokens
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_tokens_of_environments('-1');

-- For each row, and for this column alone, so that a note of use fires nothing.
CREATE TRIGGER tokens_moved AFTER UPDATE OF environment ON api_tokens
FOR EACH ROW WHEN (old.environment IS DISTINCT FROM new.environment)
EXECUTE FUNCTION move_token_between_environments();

-- The triggers are there, so whatever is written from now on waits until this is done, and is counted then.
INSERT INTO project_token_counts (project_id, tokens)
SELECT projects.id, count(links.token_id)
FROM projects
LEFT JOIN api_token_projects AS links ON links.project_id = projects.id
GROUP BY projects.id;

INSERT INTO environment_token_counts (environment, tokens)
SELECT environments.name, count(api_tokens.id)
FROM environments
LEFT JOIN api_tokens ON api_tokens.environment = environments.name
GROUP BY environments.name;

-- A project, and an environment, with what lists say about it.

CREATE VIEW project_rows AS
SELECT
    projects.*,
    coalesce((SELECT tokens FROM project_token_counts AS counts WHERE counts.project_id = projects.id), 0) AS tokens,
    (SELECT count(DISTINCT user_id) FROM memberships WHERE memberships.project_id = projects.id) AS members,
    ARRAY(
        SELECT links.environment
        FROM project_environments AS links
        INNER JOIN environments ON environments.name = links.environment
        WHERE links.project_id = projects.id
        ORDER BY environments.sort_order, environments.name
    ) AS environments
FROM projects;

CREATE VIEW environment_rows AS
SELECT
    environments.*,
    coalesce(
        (SELECT tokens FROM environment_token_counts AS counts WHERE counts.environment = environments.name), 0
    ) AS tokens,
    (SELECT count(*) FROM project_environments AS links WHERE links.environment = environments.name) AS projects
FROM environments;

-- The audit trail, read by what an event is about.

CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_actor ON events (actor_user_id, id);
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_of_projects ON events (id) WHERE concerns <> 'nothing';

-- An event with the projects that it names, in order: one statement sees both, whatever is forgotten meanwhile.
CREATE VIEW event_rows AS
SELECT
    events.*,
    -- The very condition of the index: with a bind in it, nobody would know when plans are made.
    events.concerns <> 'nothing' AS about_projects,
    ARRAY(
        SELECT links.project_id
        FROM event_projects AS links
        WHERE links.event_id = events.id
        ORDER BY links.position
    ) AS project_ids
FROM events;
