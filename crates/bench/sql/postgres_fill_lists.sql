-- Inserts `bench.projects` projects of 1,000 tokens each, 500 users, 50 members per project, and one event per token.
BEGIN;

INSERT INTO projects (id, name, description, created_at)
SELECT 'seed-' || p, 'Seed ' || p, '', now()
FROM generate_series(1, current_setting('bench.projects')::int) p;

INSERT INTO api_tokens (id, name, kind, all_projects, environment, created_at, secret_digest, secret_key, secret_sealed)
SELECT (lpad(to_hex(1600000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
       'seed-' || n, CASE WHEN n % 3 = 0 THEN 'frontend' ELSE 'client' END, false,
       CASE WHEN n % 2 = 0 THEN 'production' ELSE 'development' END,
       to_timestamp((1600000000000 + n) / 1000.0), sha256(n::text::bytea), '\x00000000', NULL
FROM generate_series(1, current_setting('bench.projects')::bigint * 1000) n;

INSERT INTO api_token_projects (project_id, token_id, position)
SELECT 'seed-' || (n + 999) / 1000,
       (lpad(to_hex(1600000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, 0
FROM generate_series(1, current_setting('bench.projects')::bigint * 1000) n;

INSERT INTO users (username, account_kind, root_role_id, created_at)
SELECT 'seed-' || u, 'person', 3, now() FROM generate_series(1, 500) u;

INSERT INTO memberships (user_id, project_id, role_id)
SELECT members.id, 'seed-' || p, 5
FROM generate_series(1, current_setting('bench.projects')::int) p, generate_series(0, 49) k,
    LATERAL (SELECT id FROM users WHERE username = 'seed-' || (1 + (p * 13 + k) % 500)) AS members;

INSERT INTO events (kind, actor_name, actor_user_id, at, concerns, environment, after)
SELECT 'api-token-created', 'seed', -42, now(), 'some', 'development', '{"tokenName": "seed"}'
FROM generate_series(1, current_setting('bench.projects')::bigint * 1000) n;

INSERT INTO event_projects (project_id, event_id, position)
SELECT 'seed-' || (n + 999) / 1000, first.id + n - 1, 0
FROM generate_series(1, current_setting('bench.projects')::bigint * 1000) n,
    (SELECT max(id) - current_setting('bench.projects')::bigint * 1000 + 1 AS id FROM events) AS first;

COMMIT;
