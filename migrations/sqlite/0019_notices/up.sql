-- Notices of tokens, each of which is recorded once.

CREATE TABLE notices (
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- What it is about.
    notice TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (token_id, notice)
) STRICT, WITHOUT ROWID;
