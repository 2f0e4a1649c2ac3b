-- Webhooks: where events are sent as they happen.

CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    url TEXT NOT NULL,
    -- The types of events, as a list; NULL: all.
    events TEXT,
    -- The ids of projects, as a list; NULL: all, and events of no project too.
    projects TEXT,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    template TEXT NOT NULL,
    -- The master key under which the secret is sealed.
    secret_key BLOB NOT NULL CHECK (length(secret_key) = 4),
    secret_sealed BLOB NOT NULL,
    -- The event of the creation: later ones are sent.
    since_event INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What is sent, one row for each webhook and event.
CREATE TABLE webhook_deliveries (
    webhook_id BLOB NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- Not a reference: the retention of events takes no delivery away.
    event_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- When the event happened.
    at INTEGER NOT NULL,
    -- Deliveries of one webhook and lane are sent one after another, in the order of events. NULL: without an order.
    lane TEXT,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts INTEGER NOT NULL,
    -- When a waiting one is sent. NULL: after those before it in its lane.
    next_at INTEGER,
    -- When it began to be tried.
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    status INTEGER,
    duration_ms INTEGER,
    error TEXT,
    PRIMARY KEY (webhook_id, event_id)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'waiting' AND next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_lane ON webhook_deliveries (webhook_id, lane, event_id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE state <> 'waiting';

-- How far each consumer of events is. One that is missing has read none.
CREATE TABLE event_consumers (
    name TEXT NOT NULL PRIMARY KEY,
    last_event INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
