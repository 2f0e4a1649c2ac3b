-- Webhooks: where events are sent as they happen.

CREATE TABLE webhooks (
    id uuid CONSTRAINT webhooks_unique PRIMARY KEY,
    url text NOT NULL,
    -- The types of events, as a list; NULL: all.
    events jsonb,
    -- The ids of projects, as a list; NULL: all, and events of no project too.
    projects jsonb,
    enabled boolean NOT NULL,
    template text NOT NULL,
    -- The master key under which the secret is sealed.
    secret_key bytea NOT NULL CHECK (length(secret_key) = 4),
    secret_sealed bytea NOT NULL,
    -- The event of the creation: later ones are sent.
    since_event bigint NOT NULL,
    created_at timestamptz NOT NULL
);

-- What is sent, one row for each webhook and event.
CREATE TABLE webhook_deliveries (
    webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    -- Not a reference: the retention of events takes no delivery away.
    event_id bigint NOT NULL,
    kind text NOT NULL,
    -- When the event happened.
    at timestamptz NOT NULL,
    -- Deliveries of one webhook and lane are sent one after another, in the order of events. NULL: without an order.
    lane text COLLATE "C",
    body text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL,
    -- When a waiting one is sent. NULL: after those before it in its lane.
    next_at timestamptz,
    -- When it began to be tried.
    began_at timestamptz NOT NULL,
    ended_at timestamptz,
    status integer,
    duration_ms bigint,
    error text,
    PRIMARY KEY (webhook_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'waiting' AND next_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_lane ON webhook_deliveries (webhook_id, lane, event_id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE state <> 'waiting';

-- How far each consumer of events is. One that is missing has read none.
CREATE TABLE event_consumers (
    name text COLLATE "C" CONSTRAINT event_consumers_unique PRIMARY KEY,
    last_event bigint NOT NULL
);
