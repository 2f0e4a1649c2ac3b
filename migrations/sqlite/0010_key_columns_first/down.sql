CREATE TABLE old_event_projects (
    project_id TEXT NOT NULL,
    event_id INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (event_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO old_event_projects (project_id, event_id, position)
SELECT project_id, event_id, position FROM event_projects ORDER BY event_id, position;
DROP TABLE event_projects;
ALTER TABLE old_event_projects RENAME TO event_projects;
CREATE UNIQUE INDEX event_projects_by_project ON event_projects (project_id, event_id);

CREATE TABLE old_api_token_projects (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (token_id, position)
) STRICT, WITHOUT ROWID;
INSERT INTO old_api_token_projects (project_id, token_id, position)
SELECT project_id, token_id, position FROM api_token_projects ORDER BY token_id, position;
DROP TABLE api_token_projects;
ALTER TABLE old_api_token_projects RENAME TO api_token_projects;
CREATE UNIQUE INDEX api_token_projects_by_project ON api_token_projects (project_id, token_id);
CREATE TRIGGER project_token_added AFTER INSERT ON api_token_projects BEGIN
    UPDATE project_token_counts SET tokens = tokens + 1 WHERE project_id = new.project_id;
END;
CREATE TRIGGER project_token_removed AFTER DELETE ON api_token_projects BEGIN
    UPDATE project_token_counts SET tokens = tokens - 1 WHERE project_id = old.project_id;
END;
