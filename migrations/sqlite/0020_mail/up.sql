-- Mail: digests of events, one for each recipient and day.

CREATE TABLE mail_digests (
    -- The address in lower case.
    recipient TEXT NOT NULL,
    -- Days of UTC since 1970.
    day INTEGER NOT NULL,
    -- The address as it was spelled first.
    address TEXT NOT NULL,
    message_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- One that was tried gets no more items.
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    -- When a waiting one is sent, or sent again if the process that sends it does not say what became of it.
    next_at INTEGER,
    -- When it was tried first.
    began_at INTEGER,
    ended_at INTEGER,
    error TEXT,
    PRIMARY KEY (recipient, day)
) STRICT;
CREATE INDEX mail_digests_due ON mail_digests (next_at) WHERE state = 'waiting';
CREATE INDEX mail_digests_ended ON mail_digests (ended_at) WHERE state <> 'waiting';

-- What each digest says, one row for each event.
CREATE TABLE mail_items (
    recipient TEXT NOT NULL,
    day INTEGER NOT NULL,
    -- Not a reference: the retention of events takes nothing from a digest.
    event_id INTEGER NOT NULL,
    -- When the event happened.
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (recipient, day, event_id),
    FOREIGN KEY (recipient, day) REFERENCES mail_digests (recipient, day) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
