-- Notices of tokens, each of which is recorded once.

CREATE TABLE notices (
    token_id uuid NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- What it is about.
    notice text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT notices_unique PRIMARY KEY (token_id, notice)
);
