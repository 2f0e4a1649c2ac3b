-- What each project demands of its tokens; projects that demand nothing have no row.

CREATE TABLE project_policies (
    project_id TEXT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    policy TEXT NOT NULL
) STRICT, WITHOUT ROWID;
