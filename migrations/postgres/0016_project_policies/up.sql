-- What each project demands of its tokens; projects that demand nothing have no row.

CREATE TABLE project_policies (
    project_id text COLLATE "C" PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    policy jsonb NOT NULL
);
