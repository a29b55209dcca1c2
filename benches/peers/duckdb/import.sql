-- Event lines into a table of a file. The table's rowid is an event's place in the log.
CREATE TABLE events AS
SELECT *
FROM read_json(
    'events.ndjson',
    format = 'newline_delimited',
    columns = {
        id: 'VARCHAR',
        account: 'VARCHAR',
        occurred_at: 'TIMESTAMP',
        recorded_at: 'TIMESTAMP',
        kind: 'VARCHAR',
        actor: 'VARCHAR',
        surface: 'VARCHAR',
        tier: 'VARCHAR',
        category: 'VARCHAR',
        item: 'VARCHAR',
        backup: 'VARCHAR',
        bytes: 'BIGINT',
        cause: 'VARCHAR',
        delete_backups: 'BOOLEAN',
        hold: 'VARCHAR',
        reason: 'VARCHAR',
        parts: 'VARCHAR[]',
        attributes: 'MAP(VARCHAR, VARCHAR)'
    }
);
