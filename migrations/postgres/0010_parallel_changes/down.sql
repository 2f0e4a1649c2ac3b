DROP FUNCTION database_origin;

CREATE FUNCTION announce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY latchkey_events;
    RETURN NULL;
EXCEPTION WHEN feature_not_supported THEN
    RETURN NULL;
END $$;

CREATE TRIGGER events_are_announced AFTER INSERT ON events
FOR EACH STATEMENT EXECUTE FUNCTION announce_events();

DROP TRIGGER projects_went ON projects;
DROP TRIGGER environments_went ON environments;
DROP FUNCTION forget_token_parts_of_projects;
DROP FUNCTION forget_token_parts_of_environments;
DROP VIEW project_token_counts;
DROP VIEW environment_token_counts;

CREATE TABLE project_token_counts (
    project_id text COLLATE "C" PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    tokens bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO project_token_counts (project_id, tokens)
SELECT id, coalesce((SELECT sum(parts.tokens) FROM project_token_parts AS parts WHERE parts.project_id = projects.id), 0)
FROM projects;
DROP TABLE project_token_parts;

CREATE FUNCTION begin_counting_tokens_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_token_counts (project_id, tokens) SELECT id, 0 FROM changed;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_are_counted_in AFTER INSERT ON projects
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION begin_counting_tokens_of_projects();

CREATE TABLE environment_token_counts (
    environment text COLLATE "C" PRIMARY KEY REFERENCES environments (name) ON DELETE CASCADE,
    tokens bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO environment_token_counts (environment, tokens)
SELECT name, coalesce((SELECT sum(parts.tokens) FROM environment_token_parts AS parts WHERE parts.environment = environments.name), 0)
FROM environments;
DROP TABLE environment_token_parts;

CREATE FUNCTION begin_counting_tokens_of_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO environment_token_counts (environment, tokens) SELECT name, 0 FROM changed;
    RETURN NULL;
END $$;

CREATE TRIGGER environments_are_counted_in AFTER INSERT ON environments
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION begin_counting_tokens_of_environments();

CREATE OR REPLACE FUNCTION count_tokens_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION count_tokens_of_environments() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION move_token_between_environments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7809651199139214964);
    UPDATE environment_token_counts AS counts
    SET tokens = counts.tokens
        + (counts.environment IS NOT DISTINCT FROM new.environment)::int
        - (counts.environment IS NOT DISTINCT FROM old.environment)::int
    WHERE counts.environment IN (old.environment, new.environment);
    RETURN NULL;
END $$;

DROP FUNCTION add_tokens_to_project;
DROP FUNCTION add_tokens_to_environment;

CREATE VIEW project_rows AS
SELECT
    projects.*,
    coalesce((SELECT tokens FROM project_token_counts AS counts WHERE counts.project_id = projects.id), 0) AS tokens,
    coalesce((SELECT members FROM project_member_counts AS counts WHERE counts.project_id = projects.id), 0) AS members,
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
