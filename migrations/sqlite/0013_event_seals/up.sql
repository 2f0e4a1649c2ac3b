-- Seals of events: a hash chain over them.

CREATE TABLE event_seals (
    -- The number of the last event of the seal.
    last_event INTEGER PRIMARY KEY,
    -- That of the seal before it; 0 for the first. Two processes that seal at once cannot make two chains.
    previous INTEGER NOT NULL UNIQUE,
    -- How many events it covers, and the latest time of them.
    events INTEGER NOT NULL,
    newest_at INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    -- The authentication code, and the id of its master key.
    mac_key BLOB NOT NULL CHECK (length(mac_key) = 4),
    mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;
