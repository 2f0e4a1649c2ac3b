-- Mail: digests of events, one for each recipient and day.

CREATE TABLE mail_digests (
    -- The address in lower case.
    recipient text COLLATE "C" NOT NULL,
    -- Days of UTC since 1970.
    day integer NOT NULL,
    -- The address as it was spelled first.
    address text NOT NULL,
    message_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- One that was tried gets no more items.
    attempts integer NOT NULL,
    due_at timestamptz NOT NULL,
    -- When a waiting one is sent, or sent again if the process that sends it does not say what became of it.
    next_at timestamptz,
    -- When it was tried first.
    began_at timestamptz,
    ended_at timestamptz,
    error text,
    CONSTRAINT mail_digests_unique PRIMARY KEY (recipient, day)
);
CREATE INDEX mail_digests_due ON mail_digests (next_at) WHERE state = 'waiting';
CREATE INDEX mail_digests_ended ON mail_digests (ended_at) WHERE state <> 'waiting';

-- What each digest says, one row for each event.
CREATE TABLE mail_items (
    recipient text COLLATE "C" NOT NULL,
    day integer NOT NULL,
    -- Not a reference: the retention of events takes nothing from a digest.
    event_id bigint NOT NULL,
    -- When the event happened.
    at timestamptz NOT NULL,
    text text NOT NULL,
    CONSTRAINT mail_items_unique PRIMARY KEY (recipient, day, event_id),
    FOREIGN KEY (recipient, day) REFERENCES mail_digests (recipient, day) ON DELETE CASCADE
);
