-- How often each token is used, hour by hour.

CREATE TABLE token_usage (
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- Hours of UTC since 1970.
    hour INTEGER NOT NULL,
    -- `verified`, or the reason for which the token was refused.
    outcome TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (token_id, hour, outcome)
) STRICT, WITHOUT ROWID;
-- For the sums of projects and of the instance, and for what is too old.
CREATE INDEX token_usage_by_hour ON token_usage (hour);

-- The last addresses from which each token was used.
CREATE TABLE token_addresses (
    token_id BLOB NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (token_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_addresses_by_time ON token_addresses (seen_at);
