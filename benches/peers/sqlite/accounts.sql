-- Every account's line as of {as_of}, under plain.toml; what is searched often is put by first. The last
-- statement gives the lines.
CREATE TEMP TABLE marks (
    account TEXT, kind TEXT, k INTEGER, tier TEXT, PRIMARY KEY (account, kind, k)
) WITHOUT ROWID;
INSERT INTO marks
SELECT
    account,
    CASE kind WHEN 'tier_changed' THEN 'tier' WHEN 'account_opened' THEN 'tier' ELSE kind END,
    ((occurred_at - {epoch}) << {place_bits}) | place,
    tier
FROM events
WHERE occurred_at <= {as_of}
    AND (
        kind IN ('data_cleared', 'trash_emptied')
        OR kind IN ('account_opened', 'tier_changed') AND tier IS NOT NULL
    );

CREATE TEMP TABLE touches (
    account TEXT, item TEXT, k INTEGER, kind TEXT, bytes INTEGER, PRIMARY KEY (account, item, k)
) WITHOUT ROWID;
INSERT INTO touches
SELECT account, item, ((occurred_at - {epoch}) << {place_bits}) | place, kind, bytes
FROM events
WHERE occurred_at <= {as_of}
    AND kind IN ('item_uploaded', 'item_modified', 'item_trashed', 'item_restored', 'item_purged');

WITH
-- The present life of an item begins with the last event that made it live, or with the first that
-- names it.
lives AS MATERIALIZED (
    SELECT
        account, item,
        coalesce(max(CASE WHEN kind IN ('item_uploaded', 'item_restored') THEN k END), min(k))
            AS began,
        max(
            CASE WHEN kind IN ('item_uploaded', 'item_modified') AND bytes IS NOT NULL THEN k END
        ) AS sized
    FROM touches
    GROUP BY account, item
),
-- The first trashing and the first purge in it.
ends AS MATERIALIZED (
    SELECT
        lives.account, lives.item, began, sized,
        min(CASE WHEN kind = 'item_trashed' THEN k END) AS trashed,
        min(CASE WHEN kind = 'item_purged' THEN k END) AS purged
    FROM lives JOIN touches
    ON lives.account = touches.account AND lives.item = touches.item AND k >= began
    GROUP BY lives.account, lives.item
),
measured AS MATERIALIZED (
    SELECT
        account, trashed, purged,
        coalesce(
            (
                SELECT bytes FROM touches
                WHERE touches.account = ends.account AND touches.item = ends.item AND k = sized
            ),
            0
        ) AS bytes,
        (
            SELECT min(k) FROM marks
            WHERE marks.account = ends.account AND kind = 'data_cleared' AND k > began
        ) AS cleared,
        (
            SELECT min(k) FROM marks
            WHERE marks.account = ends.account AND kind = 'trash_emptied' AND k > trashed
        ) AS emptied,
        (
            SELECT tier FROM marks
            WHERE marks.account = ends.account AND kind = 'tier' AND k < trashed
            ORDER BY k DESC LIMIT 1
        ) AS tier
    FROM ends
),
items AS (
    SELECT
        account, bytes,
        CASE
            WHEN cleared <= min(ifnull(purged, cleared), ifnull(emptied, cleared)) THEN 'removed'
            WHEN purged IS NOT NULL OR emptied IS NOT NULL THEN 'purged'
            WHEN trashed IS NULL THEN 'live'
            WHEN {as_of} < (trashed >> {place_bits}) + {epoch}
                + CASE tier WHEN 'diamond' THEN {diamond_trash} ELSE {standard_trash} END
                THEN 'trashed'
            ELSE 'expired'
        END AS state
    FROM measured
),
item_lines AS MATERIALIZED (
    SELECT
        account,
        sum(state = 'live') AS live,
        sum(CASE WHEN state = 'live' THEN bytes ELSE 0 END) AS live_bytes,
        sum(state = 'trashed') AS trashed,
        sum(CASE WHEN state = 'trashed' THEN bytes ELSE 0 END) AS trashed_bytes,
        sum(state = 'expired') AS expired,
        sum(state = 'purged') AS purged,
        sum(state = 'removed') AS removed
    FROM items
    GROUP BY account
),
keyed AS (
    SELECT
        account, kind, actor, backup, bytes, delete_backups,
        ((occurred_at - {epoch}) << {place_bits}) | place AS k
    FROM events
    WHERE occurred_at <= {as_of}
),
account_lines AS MATERIALIZED (
    SELECT
        account,
        min(k) AS first,
        coalesce(max(CASE WHEN kind = 'account_opened' THEN k END), -1) AS opened,
        max(CASE WHEN kind = 'account_closed' THEN k END) AS closed,
        max(CASE WHEN kind = 'account_terminated' THEN k END) AS terminated,
        max(CASE WHEN kind = 'data_cleared' THEN k END) AS cleared,
        max(CASE WHEN kind = 'account_frozen' THEN k END) AS frozen,
        coalesce(max(CASE WHEN kind = 'account_unfrozen' THEN k END), -1) AS unfrozen,
        coalesce(max(CASE WHEN kind = 'backup_off' AND delete_backups THEN k END), -1)
            AS backups_deleted,
        max(
            CASE
                WHEN actor IN ('user', 'device')
                    AND kind IN (
                        'page_viewed', 'find_device_on', 'synced', 'backup_completed',
                        'item_uploaded', 'item_modified', 'item_trashed', 'item_restored',
                        'item_purged', 'trash_emptied', 'backup_off'
                    )
                    THEN k
            END
        ) AS active
    FROM keyed
    GROUP BY account
),
-- A backup is kept if what made it so came after all that removes it. Beside the maximum SQLite gives
-- the bytes of the row that has it.
completions AS (
    SELECT account, backup, max(k), bytes
    FROM keyed
    WHERE kind = 'backup_completed'
    GROUP BY account, backup
),
backups AS (
    SELECT
        account, backup,
        max(CASE WHEN kind <> 'backup_purged' THEN k END) AS began,
        coalesce(max(CASE WHEN kind = 'backup_purged' THEN k END), -1) AS purged
    FROM keyed
    WHERE kind IN ('backup_completed', 'backup_restored', 'backup_purged')
    GROUP BY account, backup
),
backup_lines AS MATERIALIZED (
    SELECT backups.account, sum(coalesce(bytes, 0)) AS backup_bytes
    FROM backups
    JOIN account_lines ON backups.account = account_lines.account
    LEFT JOIN completions
        ON backups.account = completions.account AND backups.backup = completions.backup
    WHERE began > max(backups.purged, backups_deleted, coalesce(cleared, -1))
    GROUP BY backups.account
),
timed AS (
    SELECT
        *,
        (active >> {place_bits}) + {epoch} AS last_activity_at,
        (coalesce(active, first) >> {place_bits}) + {epoch} + {inactive_after} AS inactive_at,
        max(opened, unfrozen, coalesce(active, -1)) AS revived
    FROM account_lines
)
SELECT
    timed.account,
    CASE
        WHEN closed > opened THEN 'closed'
        WHEN terminated > opened THEN 'terminated'
        WHEN timed.cleared > revived THEN 'cleared'
        WHEN frozen > revived THEN 'frozen'
        WHEN {as_of} >= inactive_at THEN 'at_risk'
        ELSE 'active'
    END AS status,
    coalesce(
        (
            SELECT tier FROM marks
            WHERE marks.account = timed.account AND kind = 'tier'
            ORDER BY k DESC LIMIT 1
        ),
        'standard'
    ) AS tier,
    coalesce(live, 0) AS live,
    coalesce(live_bytes, 0) AS live_bytes,
    coalesce(trashed, 0) AS trashed,
    coalesce(expired, 0) AS expired,
    coalesce(purged, 0) AS purged,
    coalesce(removed, 0) AS removed,
    coalesce(live_bytes, 0) + coalesce(trashed_bytes, 0) + coalesce(backup_bytes, 0) AS used_bytes,
    last_activity_at,
    inactive_at
FROM timed
LEFT JOIN item_lines ON timed.account = item_lines.account
LEFT JOIN backup_lines ON timed.account = backup_lines.account
ORDER BY timed.account;
