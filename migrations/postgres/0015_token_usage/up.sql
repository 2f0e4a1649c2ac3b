-- How often each token is used, hour by hour.

CREATE TABLE token_usage (
    token_id uuid NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    -- Hours of UTC since 1970.
    hour integer NOT NULL,
    -- `verified`, or the reason for which the token was refused.
    outcome text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT token_usage_unique PRIMARY KEY (token_id, hour, outcome)
);
-- For the sums of projects and of the instance, and for what is too old.
CREATE INDEX token_usage_by_hour ON token_usage (hour);

-- The last addresses from which each token was used.
CREATE TABLE token_addresses (
    token_id uuid NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    address text COLLATE "C" NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT token_addresses_unique PRIMARY KEY (token_id, address)
);
CREATE INDEX token_addresses_by_time ON token_addresses (seen_at);
