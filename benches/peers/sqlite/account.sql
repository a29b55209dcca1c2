-- One account's events, in order.
SELECT * FROM events WHERE account = ? ORDER BY occurred_at, place
