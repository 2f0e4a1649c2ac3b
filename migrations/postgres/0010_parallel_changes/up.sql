-- Changes are committed side by side (docs/design/decisions, 31). Three things made them wait for each other.

-- 1. The row with the number of tokens of a project, or of an environment. The number is now the sum of parts. A change adds
-- to a part that no other transaction has locked, and to a new one where all are locked, so it never waits. There are as
-- many parts as there were changes at once.

-- Views for processes from before version 0007.
DROP VIEW project_rows;
DROP VIEW environment_rows;

DROP TRIGGER projects_are_counted_in ON projects;
DROP TRIGGER environments_are_counted_in ON environments;
DROP FUNCTION begin_counting_tokens_of_projects;
DROP FUNCTION begin_counting_tokens_of_environments;

-- They refer to no other table: a check of the reference could wait for the removal of a project, which may wait for the
-- token that is being counted.
ALTER TABLE project_token_counts RENAME TO project_token_parts;
ALTER TABLE project_token_parts
    ADD COLUMN part bigint GENERATED ALWAYS AS IDENTITY,
    DROP CONSTRAINT project_token_counts_project_id_fkey,
    DROP CONSTRAINT project_token_counts_pkey,
    ADD PRIMARY KEY (project_id, part);

ALTER TABLE environment_token_counts RENAME TO environment_token_parts;
ALTER TABLE environment_token_parts
    ADD COLUMN part bigint GENERATED ALWAYS AS IDENTITY,
    DROP CONSTRAINT environment_token_counts_environment_fkey,
    DROP CONSTRAINT environment_token_counts_pkey,
    ADD PRIMARY KEY (environment, part);

CREATE VIEW project_token_counts AS
SELECT
    projects.id AS project_id,
    coalesce(
        (SELECT sum(parts.tokens) FROM project_token_parts AS parts WHERE parts.project_id = projects.id), 0
    )::bigint AS tokens
FROM projects;

CREATE VIEW environment_token_counts AS
SELECT
    environments.name AS environment,
    coalesce(
        (SELECT sum(parts.tokens) FROM environment_token_parts AS parts WHERE parts.environment = environments.name), 0
    )::bigint AS tokens
FROM environments;

CREATE FUNCTION add_tokens_to_project(project text, change bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE project_token_parts AS parts
    SET tokens = tokens + change
    WHERE parts.project_id = project AND part = (
        SELECT part FROM project_token_parts WHERE project_id = project LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO project_token_parts (project_id, tokens) VALUES (project, change);
    END IF;
END $$;

CREATE FUNCTION add_tokens_to_environment(name text, change bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE environment_token_parts AS parts
    SET tokens = tokens + change
    WHERE parts.environment = name AND part = (
        SELECT part FROM environment_token_parts WHERE environment = name LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO environment_token_parts (environment, tokens) VALUES (name, change);
    END IF;
END $$;

-- The rows in `changed` came (argument 1) or went (argument -1).
CREATE OR REPLACE FUNCTION count_tokens_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tokens_to_project(project_id, tg_argv[0]::bigint * count(*)) FROM changed GROUP BY project_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION count_tokens_of_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tokens_to_environment(environment, tg_argv[0]::bigint * count(*))
    FROM changed WHERE environment IS NOT NULL GROUP BY environment;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION move_token_between_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.environment IS NOT NULL THEN
        PERFORM add_tokens_to_environment(old.environment, -1);
    END IF;
    IF new.environment IS NOT NULL THEN
        PERFORM add_tokens_to_environment(new.environment, 1);
    END IF;
    RETURN NULL;
END $$;

-- Whoever removes a project or an environment has locked it and its tokens, so nothing is counted there any more.
CREATE FUNCTION forget_token_parts_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM project_token_parts AS parts USING removed WHERE parts.project_id = removed.id;
    RETURN NULL;
END $$;

CREATE FUNCTION forget_token_parts_of_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM environment_token_parts AS parts USING removed WHERE parts.environment = removed.name;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_went AFTER DELETE ON projects
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION forget_token_parts_of_projects();

CREATE TRIGGER environments_went AFTER DELETE ON environments
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION forget_token_parts_of_environments();

-- 2. NOTIFY: a transaction that notifies holds a lock of the whole server to the end of its commit. A process now notifies
-- after its commits, in transactions of their own. What another program writes is found by polling.
DROP TRIGGER events_are_announced ON events;
DROP FUNCTION announce_events;

-- 3. The event-log lock, which a change of a token now shares with others (`locks.rs`). Followers know numbers that are missing
-- from those that will never appear, and a database from its copies: by the identity that a copy of the files keeps, and
-- by the timeline, which every promotion and every restore to a point in time advances. NULL where that may not be read.
CREATE FUNCTION database_origin() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system()) || '/' || CASE
        WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
    END;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;
