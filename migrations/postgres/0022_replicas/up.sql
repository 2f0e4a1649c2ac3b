-- The processes that serve this database, as they report themselves. Unlogged: the rows are of the moment, so no standby and no disk is
-- waited for, and a crash may empty the table.

CREATE UNLOGGED TABLE replicas (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    -- Where it listens.
    address text NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL,
    -- When it reported itself last, by its own clock.
    seen_at timestamptz NOT NULL,
    -- For how long changes could be unknown to it then; NULL if it had not read the feed.
    feed_age_ms bigint
);
