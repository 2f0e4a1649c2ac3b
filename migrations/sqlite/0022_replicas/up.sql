-- The processes that serve this database, as they report themselves.

CREATE TABLE replicas (
    id BLOB PRIMARY KEY NOT NULL,
    host TEXT NOT NULL,
    -- Where it listens.
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    -- When it reported itself last, by its own clock.
    seen_at INTEGER NOT NULL,
    -- For how long changes could be unknown to it then; NULL if it had not read the feed.
    feed_age_ms INTEGER
) STRICT, WITHOUT ROWID;
