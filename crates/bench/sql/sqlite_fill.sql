-- Inserts projects of ten tokens each, as postgres_fill.sql does. The table `bench` holds the number of projects.
BEGIN IMMEDIATE;

CREATE TEMP TABLE numbers AS
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < (SELECT projects * 10 FROM bench))
SELECT n FROM counted WHERE n <= (SELECT projects * 10 FROM bench);

INSERT INTO projects (id, name, description, created_at)
SELECT 'seed-' || (n / 10), 'Seed ' || (n / 10), '', 1600000000000 FROM numbers WHERE n % 10 = 0;

INSERT INTO api_tokens (id, name, kind, all_projects, named_projects, environment, created_at, secret_digest, secret_key, secret_sealed)
SELECT unhex(printf('%012x70008000%012x', 1600000000000 + n, n)), 'seed-' || n, 'client', 0, 1, 'development',
       1600000000000 + n, randomblob(32), x'00000000', randomblob(99)
FROM numbers;

INSERT INTO api_token_projects (project_id, token_id, position)
SELECT 'seed-' || ((n + 9) / 10), unhex(printf('%012x70008000%012x', 1600000000000 + n, n)), 0 FROM numbers;

COMMIT;
