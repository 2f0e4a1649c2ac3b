-- Inserts `bench.projects` projects of ten tokens each. Ids are UUIDs of version 7, as in the server, so that the index
-- grows as it does in use. Digests and sealed secrets have real sizes but made-up content, which cannot be decrypted.
BEGIN;

INSERT INTO projects (id, name, description, created_at)
SELECT 'seed-' || p, 'Seed ' || p, '', now()
FROM generate_series(1, current_setting('bench.projects')::int) p;

INSERT INTO api_tokens (id, name, kind, all_projects, environment, created_at, secret_digest, secret_key, secret_sealed)
SELECT (lpad(to_hex(1600000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
       'seed-' || n, 'client', false, 'development',
       to_timestamp((1600000000000 + n) / 1000.0),
       sha256(n::text::bytea), '\x00000000',
       substring(decode(repeat(md5(n::text), 7), 'hex') FROM 1 FOR 99)
FROM generate_series(1, current_setting('bench.projects')::bigint * 10) n;

INSERT INTO api_token_projects (project_id, token_id, position)
SELECT 'seed-' || (n + 9) / 10,
       (lpad(to_hex(1600000000000 + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, 0
FROM generate_series(1, current_setting('bench.projects')::bigint * 10) n;

COMMIT;
