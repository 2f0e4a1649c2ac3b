-- What is left of the limits of tokens. Written without an event, and only for tokens that have limits.

CREATE TABLE token_rates (
    token_id BLOB PRIMARY KEY REFERENCES api_tokens (id) ON DELETE CASCADE NOT NULL,
    -- In milliseconds since 1970.
    window_start INTEGER NOT NULL,
    used INTEGER NOT NULL,
    -- What earlier windows left over.
    carried INTEGER NOT NULL,
    -- How many requests the last process has got.
    granted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token_uses (
    token_id BLOB PRIMARY KEY REFERENCES api_tokens (id) ON DELETE CASCADE NOT NULL,
    -- When the uses were set, in milliseconds since 1970.
    set_at INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    refills INTEGER NOT NULL,
    -- How many uses the last process has got.
    taken INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
