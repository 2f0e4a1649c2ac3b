-- What is left of the limits of tokens. Written without an event, and only for tokens that have limits.

CREATE TABLE token_rates (
    token_id uuid PRIMARY KEY REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- In milliseconds since 1970.
    window_start bigint NOT NULL,
    used bigint NOT NULL,
    -- What earlier windows left over.
    carried bigint NOT NULL,
    -- How many requests the last process has got, which the statement returns to it.
    granted bigint NOT NULL
);

CREATE TABLE token_uses (
    token_id uuid PRIMARY KEY REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- When the uses were set, in milliseconds since 1970.
    set_at bigint NOT NULL,
    remaining bigint NOT NULL,
    refills bigint NOT NULL,
    -- How many uses the last process has got.
    taken bigint NOT NULL
);
