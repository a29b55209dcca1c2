-- One table of events. An event's id is unique within its account, and an account's events are found by
-- time; the rowid is the event's place in the log.
CREATE TABLE events (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    surface TEXT,
    tier TEXT,
    category TEXT,
    item TEXT,
    backup TEXT,
    bytes INTEGER,
    cause TEXT,
    delete_backups INTEGER,
    hold TEXT,
    reason TEXT,
    parts TEXT,
    attributes TEXT,
    UNIQUE (account, id)
);
CREATE INDEX events_by_time ON events (account, occurred_at);
