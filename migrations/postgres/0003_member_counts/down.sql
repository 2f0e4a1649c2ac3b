CREATE OR REPLACE VIEW project_rows AS
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
DROP TRIGGER memberships_went_by_change ON memberships;
DROP TRIGGER memberships_came_by_change ON memberships;
DROP TRIGGER memberships_went ON memberships;
DROP TRIGGER memberships_came ON memberships;
DROP TRIGGER projects_are_counted_members_in ON projects;
DROP FUNCTION count_members_of_projects();
DROP FUNCTION begin_counting_members_of_projects();
DROP TABLE project_member_counts;
