-- Every account's line as of {as_of}, under plain.toml. `{source}` is the table and `{place}` an event's
-- place in it.
WITH
keyed AS (
    SELECT
        account, kind, actor, tier, item, backup, bytes, delete_backups,
        ((epoch_ms(occurred_at) - {epoch}) << {place_bits}) | {place} AS k
    FROM {source}
    WHERE epoch_ms(occurred_at) <= {as_of}
),
item_events AS (
    SELECT account, item, kind, bytes, k
    FROM keyed
    WHERE kind IN ('item_uploaded', 'item_modified', 'item_trashed', 'item_restored', 'item_purged')
),
-- The present life of an item begins with the last event that made it live, or with the first that
-- names it.
lives AS (
    SELECT
        account, item,
        coalesce(
            max(k) FILTER (kind IN ('item_uploaded', 'item_restored')),
            min(k)
        ) AS began,
        coalesce(
            arg_max(bytes, k) FILTER (
                kind IN ('item_uploaded', 'item_modified') AND bytes IS NOT NULL
            ),
            0
        ) AS bytes
    FROM item_events
    GROUP BY account, item
),
-- The first trashing and the first purge in it.
ends AS (
    SELECT
        account, item,
        min(k) FILTER (kind = 'item_trashed') AS trashed,
        min(k) FILTER (kind = 'item_purged') AS purged
    FROM item_events JOIN lives USING (account, item)
    WHERE kind IN ('item_trashed', 'item_purged') AND k >= began
    GROUP BY account, item
),
tiers AS (
    SELECT account, tier, k
    FROM keyed
    WHERE kind IN ('account_opened', 'tier_changed') AND tier IS NOT NULL
),
clearings AS (SELECT account, k FROM keyed WHERE kind = 'data_cleared'),
emptyings AS (SELECT account, k FROM keyed WHERE kind = 'trash_emptied'),
whole AS (
    SELECT lives.account, lives.item, bytes, began, trashed, purged
    FROM lives LEFT JOIN ends USING (account, item)
),
cleared AS (
    SELECT whole.*, clearings.k AS cleared
    FROM whole ASOF LEFT JOIN clearings
    ON whole.account = clearings.account AND whole.began < clearings.k
),
emptied AS (
    SELECT cleared.*, emptyings.k AS emptied
    FROM cleared ASOF LEFT JOIN emptyings
    ON cleared.account = emptyings.account AND cleared.trashed < emptyings.k
),
measured AS (
    SELECT
        emptied.account, bytes, trashed, cleared,
        least(purged, emptied, cleared) AS ended,
        (trashed >> {place_bits}) + {epoch}
            + CASE tiers.tier WHEN 'diamond' THEN {diamond_trash} ELSE {standard_trash} END AS deadline
    FROM emptied ASOF LEFT JOIN tiers
    ON emptied.account = tiers.account AND emptied.trashed > tiers.k
),
items AS (
    SELECT
        account, bytes,
        CASE
            WHEN ended IS NOT NULL AND ended = cleared THEN 'removed'
            WHEN ended IS NOT NULL THEN 'purged'
            WHEN trashed IS NULL THEN 'live'
            WHEN {as_of} < deadline THEN 'trashed'
            ELSE 'expired'
        END AS state
    FROM measured
),
item_lines AS (
    SELECT
        account,
        count(*) FILTER (state = 'live') AS live,
        coalesce(sum(bytes) FILTER (state = 'live'), 0) AS live_bytes,
        count(*) FILTER (state = 'trashed') AS trashed,
        coalesce(sum(bytes) FILTER (state = 'trashed'), 0) AS trashed_bytes,
        count(*) FILTER (state = 'expired') AS expired,
        count(*) FILTER (state = 'purged') AS purged,
        count(*) FILTER (state = 'removed') AS removed
    FROM items
    GROUP BY account
),
account_lines AS (
    SELECT
        account,
        min(k) AS first,
        arg_max(tier, k) FILTER (tier IS NOT NULL) AS tier,
        coalesce(max(k) FILTER (kind = 'account_opened'), -1) AS opened,
        max(k) FILTER (kind = 'account_closed') AS closed,
        max(k) FILTER (kind = 'account_terminated') AS terminated,
        max(k) FILTER (kind = 'data_cleared') AS cleared,
        max(k) FILTER (kind = 'account_frozen') AS frozen,
        coalesce(max(k) FILTER (kind = 'account_unfrozen'), -1) AS unfrozen,
        coalesce(max(k) FILTER (kind = 'backup_off' AND delete_backups), -1) AS backups_deleted,
        max(k) FILTER (
            actor IN ('user', 'device')
            AND kind IN (
                'page_viewed', 'find_device_on', 'synced', 'backup_completed', 'item_uploaded',
                'item_modified', 'item_trashed', 'item_restored', 'item_purged', 'trash_emptied',
                'backup_off'
            )
        ) AS active
    FROM keyed
    GROUP BY account
),
-- A backup is kept if what made it so came after all that removes it.
backups AS (
    SELECT
        account, backup,
        max(k) FILTER (kind IN ('backup_completed', 'backup_restored')) AS began,
        coalesce(max(k) FILTER (kind = 'backup_purged'), -1) AS purged,
        coalesce(arg_max(bytes, k) FILTER (kind = 'backup_completed'), 0) AS bytes
    FROM keyed
    WHERE kind IN ('backup_completed', 'backup_restored', 'backup_purged')
    GROUP BY account, backup
),
backup_lines AS (
    SELECT account, sum(bytes) AS backup_bytes
    FROM backups JOIN account_lines USING (account)
    WHERE began > greatest(backups.purged, backups_deleted, coalesce(cleared, -1))
    GROUP BY account
),
timed AS (
    SELECT
        *,
        (active >> {place_bits}) + {epoch} AS last_activity_at,
        (coalesce(active, first) >> {place_bits}) + {epoch} + {inactive_after} AS inactive_at,
        greatest(opened, unfrozen, coalesce(active, -1)) AS revived
    FROM account_lines
)
SELECT
    timed.account,
    CASE
        WHEN closed > opened THEN 'closed'
        WHEN terminated > opened THEN 'terminated'
        WHEN cleared > revived THEN 'cleared'
        WHEN frozen > revived THEN 'frozen'
        WHEN {as_of} >= inactive_at THEN 'at_risk'
        ELSE 'active'
    END AS status,
    coalesce(tier, 'standard') AS tier,
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
ORDER BY timed.account
