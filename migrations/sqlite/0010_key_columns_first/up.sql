-- The columns of the primary key stand first in tables without row ids. Otherwise `PRAGMA integrity_check` of SQLite 3.40
-- reports "NULL value in api_token_projects.project_id" for every row of a healthy table. No view and no trigger of another
-- table names these two, so each is made anew, filled in the order of its key, and takes the old one's name.

CREATE TABLE new_api_token_projects (
    -- The projects of a token lie together, in order.
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
    PRIMARY KEY (token_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO new_api_token_projects (token_id, position, project_id)
SELECT token_id, position, project_id FROM api_token_projects ORDER BY token_id, position;
DROP TABLE api_token_projects;
ALTER TABLE new_api_token_projects RENAME TO api_token_projects;
-- A project's tokens in the order of lists. Named and not a UNIQUE of the table, because SQLite looks into the table too
-- for the latter.
CREATE UNIQUE INDEX api_token_projects_by_project ON api_token_projects (project_id, token_id);
CREATE TRIGGER project_token_added AFTER INSERT ON api_token_projects BEGIN
    UPDATE project_token_counts SET tokens = tokens + 1 WHERE project_id = new.project_id;
END;
CREATE TRIGGER project_token_removed AFTER DELETE ON api_token_projects BEGIN
    UPDATE project_token_counts SET tokens = tokens - 1 WHERE project_id = old.project_id;
END;

CREATE TABLE new_event_projects (
    event_id INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    project_id TEXT NOT NULL,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO new_event_projects (event_id, position, project_id)
SELECT event_id, position, project_id FROM event_projects ORDER BY event_id, position;
DROP TABLE event_projects;
ALTER TABLE new_event_projects RENAME TO event_projects;
CREATE UNIQUE INDEX event_projects_by_project ON event_projects (project_id, event_id);
