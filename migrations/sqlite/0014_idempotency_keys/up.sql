-- The answers to requests that were sent with an idempotency key, so that a request that is sent again gets the first answer.
-- A row is written with the change that it answers.

CREATE TABLE idempotency_keys (
    -- Of the caller, the operation and the key.
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- Of the body.
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    at INTEGER NOT NULL,
    -- The master key under which the answer is sealed.
    answer_key BLOB NOT NULL CHECK (length(answer_key) = 4),
    answer_sealed BLOB NOT NULL
) STRICT;
-- For the sweep.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at);
