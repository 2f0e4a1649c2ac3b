-- Inserts `bench.projects` projects of ten tokens each into the tables of unleash-server 6.10.1, as postgres_fill.sql
-- does into those of Latchkey.
BEGIN;

INSERT INTO projects (id, name, description, created_at)
SELECT 'seed-' || p, 'Seed ' || p, '', now()
FROM generate_series(1, current_setting('bench.projects')::int) p;

INSERT INTO api_tokens (secret, token_name, username, type, environment, created_at)
SELECT 'seed-' || (n + 9) / 10 || ':development.' || md5(n::text) || md5((n + 1)::text), 'seed-' || n, 'seed-' || n, 'client',
       'development', now()
FROM generate_series(1, current_setting('bench.projects')::bigint * 10) n;

INSERT INTO api_token_project (secret, project)
SELECT 'seed-' || (n + 9) / 10 || ':development.' || md5(n::text) || md5((n + 1)::text), 'seed-' || (n + 9) / 10
FROM generate_series(1, current_setting('bench.projects')::bigint * 10) n;

COMMIT;
