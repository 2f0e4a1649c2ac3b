-- How many users hold a role in each project: lists that say so count nobody.
CREATE TABLE project_member_counts (
    project_id TEXT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    members INTEGER NOT NULL CHECK (members >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO project_member_counts (project_id, members)
SELECT id, (SELECT count(DISTINCT user_id) FROM memberships WHERE project_id = projects.id) FROM projects;

-- A user with several roles in a project is one member, from the first role to the last. A trigger looks after each row,
-- so of several that come or go by one statement, it sees which is the first and which the last.
CREATE TRIGGER project_made_without_members AFTER INSERT ON projects BEGIN
    INSERT INTO project_member_counts (project_id, members) VALUES (new.id, 0);
END;
CREATE TRIGGER membership_added AFTER INSERT ON memberships BEGIN
    UPDATE project_member_counts SET members = members + 1
    WHERE project_id = new.project_id AND NOT EXISTS (
        SELECT 1 FROM memberships
        WHERE user_id = new.user_id AND project_id = new.project_id AND role_id <> new.role_id
    );
END;
CREATE TRIGGER membership_removed AFTER DELETE ON memberships BEGIN
    UPDATE project_member_counts SET members = members - 1
    WHERE project_id = old.project_id AND NOT EXISTS (
        SELECT 1 FROM memberships WHERE user_id = old.user_id AND project_id = old.project_id
    );
END;
