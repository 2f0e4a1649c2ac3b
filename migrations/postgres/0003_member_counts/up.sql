-- How many users hold a role in each project, so that no list has to count them. Triggers keep these rows, whoever
-- writes to the tables.

CREATE TABLE project_member_counts (
    project_id text COLLATE "C" PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    members bigint NOT NULL
) WITH (fillfactor = 50);

CREATE FUNCTION begin_counting_members_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO project_member_counts (project_id, members) SELECT id, 0 FROM changed;
    RETURN NULL;
END $$;

-- A user with several roles in a project is one member, so the members of a project that changed are counted anew. Whoever
-- counts holds the lock under which events are numbered (`locks.rs`) to the end of the transaction: of two that change
-- one project, the second counts what the first has committed.
CREATE FUNCTION count_members_of_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        PERFORM pg_advisory_xact_lock(7809651199139214964);
        UPDATE project_member_counts AS counts
        SET members = (SELECT count(DISTINCT user_id) FROM memberships WHERE project_id = counts.project_id)
        WHERE project_id IN (SELECT project_id FROM changed);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_are_counted_members_in AFTER INSERT ON projects
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION begin_counting_members_of_projects();

CREATE TRIGGER memberships_came AFTER INSERT ON memberships
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_members_of_projects();

CREATE TRIGGER memberships_went AFTER DELETE ON memberships
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_members_of_projects();

CREATE TRIGGER memberships_came_by_change AFTER UPDATE ON memberships
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_members_of_projects();

CREATE TRIGGER memberships_went_by_change AFTER UPDATE ON memberships
REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION count_members_of_projects();

-- The triggers are there, so whatever is written from now on waits until this is done, and is counted then.
INSERT INTO project_member_counts (project_id, members)
SELECT projects.id, count(DISTINCT memberships.user_id)
FROM projects
LEFT JOIN memberships ON memberships.project_id = projects.id
GROUP BY projects.id;

CREATE OR REPLACE VIEW project_rows AS
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
