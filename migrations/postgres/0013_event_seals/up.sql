-- Seals of events: a hash chain over them.

CREATE TABLE event_seals (
    -- The number of the last event of the seal.
    last_event bigint PRIMARY KEY,
    -- That of the seal before it; 0 for the first. Two processes that seal at once cannot make two chains.
    previous bigint NOT NULL CONSTRAINT event_seals_previous_unique UNIQUE,
    -- How many events it covers, and the latest time of them.
    events bigint NOT NULL,
    newest_at timestamptz NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    -- The authentication code, and the id of its master key.
    mac_key bytea NOT NULL CHECK (length(mac_key) = 4),
    mac bytea NOT NULL CHECK (length(mac) = 32)
);
