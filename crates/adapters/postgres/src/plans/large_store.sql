-- 20 000 tokens over 200 projects: every fourth names a second project, every hundredth is for all projects; a few are
-- admin tokens, a few work in an environment that few use.
INSERT INTO environments (name, kind, sort_order, enabled) VALUES ('rare', 'test', 1, true);
INSERT INTO projects (id, name, description, created_at, archived_at)
SELECT 'project-' || i, 'P', '', now(), CASE WHEN i % 10 = 9 THEN now() END FROM generate_series(0, 4999) AS i;
INSERT INTO project_environments SELECT id, 'development' FROM projects WHERE id <> 'default';

INSERT INTO api_tokens (
    id, name, kind, all_projects, environment, expires_at, created_at, secret_digest, secret_key
)
SELECT
    lpad(to_hex(i), 32, '0')::uuid, 'token-' || i, CASE WHEN i % 1000 = 0 THEN 'admin' ELSE 'client' END, i % 100 = 0,
    CASE WHEN i % 1000 = 0 THEN NULL WHEN i % 500 = 1 THEN 'rare' ELSE 'development' END,
    CASE WHEN i % 2 = 0 THEN now() + i * interval '1 minute' END, now(),
    decode(lpad(to_hex(i), 64, '0'), 'hex'), '\x00000000'
FROM generate_series(0, 19999) AS i;
INSERT INTO api_token_projects
SELECT 'project-' || (i + step * 7) % 200, lpad(to_hex(i), 32, '0')::uuid, step
FROM generate_series(0, 19999) AS i, generate_series(0, 1) AS step
WHERE i % 100 <> 0 AND (step = 0 OR i % 4 = 0);
INSERT INTO retired_secrets
SELECT decode(lpad(to_hex(1000000 + i), 64, '0'), 'hex'), '\x00000000', lpad(to_hex(i), 32, '0')::uuid, now()
FROM generate_series(0, 4999) AS i;

-- 5 000 users, one in fifty a service account; each has roles in ten projects, two personal tokens and two sessions.
INSERT INTO users (username, email, email_key, account_kind, root_role_id, created_at)
SELECT
    'user-' || i, 'user-' || i || '@example.org', 'user-' || i || '@example.org',
    CASE WHEN i % 50 = 0 THEN 'service' ELSE 'person' END, 3, now()
FROM generate_series(1, 5000) AS i;
INSERT INTO memberships (user_id, project_id, role_id)
SELECT users.id, 'project-' || (users.id * 13 + i) % 5000, 5 FROM users, generate_series(0, 9) AS i;
-- 2 000 groups of five users each, with a root role and a role in two projects.
INSERT INTO user_groups (name, description, sso_groups, root_role_id, created_at)
SELECT 'group-' || i, '', '[]', 3, now() FROM generate_series(1, 2000) AS i;
INSERT INTO group_members (group_id, user_id, added_at)
SELECT DISTINCT user_groups.id, users.id, now()
FROM user_groups CROSS JOIN generate_series(0, 4) AS i
INNER JOIN users ON users.username = 'user-' || (1 + (user_groups.id * 7 + i * 911) % 5000);
INSERT INTO group_roles (group_id, project_id, role_id, added_at)
SELECT user_groups.id, 'project-' || (user_groups.id * 13 + i) % 5000, 5, now()
FROM user_groups, generate_series(0, 1) AS i;
INSERT INTO personal_tokens (user_id, description, secret_digest, secret_key, expires_at, created_at)
SELECT users.id, 'token-' || i, decode(lpad(to_hex(users.id * 2 + i), 64, '0'), 'hex'), '\x00000000', now(), now()
FROM users, generate_series(0, 1) AS i;
INSERT INTO sessions (id, user_id, secret_digest, secret_key, created_at, expires_at)
SELECT
    lpad(to_hex(users.id * 2 + i), 32, '0')::uuid, users.id, decode(lpad(to_hex(users.id * 2 + i), 64, '0'), 'hex'),
    '\x00000000', now(), now()
FROM users, generate_series(0, 1) AS i;

-- 60 000 events: most are sign-ins, every sixth is about a token of one project, a few are of a kind, or by a user, that
-- is rare.
INSERT INTO events (kind, actor_name, actor_user_id, at, concerns)
SELECT
    CASE WHEN i % 6 <> 0 THEN 'session-started' WHEN i % 3000 = 0 THEN 'api-token-deleted' ELSE 'api-token-created' END,
    'user', CASE WHEN i % 1000 = 0 THEN 7 ELSE i % 5 END, timestamptz '2026-01-01' + i * interval '1 second',
    CASE WHEN i % 6 <> 0 THEN 'nothing' ELSE 'some' END
FROM generate_series(1, 60000) AS i;
INSERT INTO event_projects SELECT 'project-' || id % 120, id, 0 FROM events WHERE id % 6 = 0;
-- Two projects that are rarely heard of.
INSERT INTO event_projects
SELECT 'project-' || step, id, step FROM events, generate_series(1, 2) AS step WHERE id % 3000 = 0;

-- Projects without tokens have had some: each has a part of its count.
INSERT INTO project_token_parts (project_id, tokens)
SELECT id, 0 FROM projects WHERE id NOT IN (SELECT project_id FROM project_token_parts);
