CREATE OR REPLACE VIEW user_grants AS
SELECT users.id AS user_id, NULL::text AS project_id, held.role_id, held.permission
FROM users
INNER JOIN role_permissions AS held ON held.role_id = users.root_role_id
UNION ALL
SELECT memberships.user_id, memberships.project_id, held.role_id, held.permission
FROM memberships
INNER JOIN role_permissions AS held ON held.role_id = memberships.role_id;
DROP TABLE group_roles;
DROP TABLE group_members;
DROP TABLE user_groups;
