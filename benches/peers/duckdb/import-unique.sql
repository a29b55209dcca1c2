-- After import.sql: an event's id is unique within its account, as in our log and in SQLite's table. Made
-- when all rows are there, which costs DuckDB less than a key that each row is checked against.
ALTER TABLE events ADD PRIMARY KEY (account, id);
