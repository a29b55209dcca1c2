"""Every account's line under plain.toml, as a query of Polars."""

import polars as pl
from peer import (
    AS_OF,
    DIAMOND_TRASH,
    EPOCH,
    INACTIVE_AFTER,
    PLACE_BITS,
    STANDARD_TRASH,
)

RESETS = (
    "page_viewed find_device_on synced backup_completed item_uploaded item_modified item_trashed "
    "item_restored item_purged trash_emptied backup_off"
).split()
PLACES = 1 << PLACE_BITS

k, kind, size = pl.col("k"), pl.col("kind"), pl.col("bytes")


def time_of(key):
    return key // PLACES + EPOCH


def last(*kinds):
    return k.filter(kind.is_in(kinds)).max()


def account_lines(events):
    keyed = events.filter(pl.col("occurred_at") <= AS_OF).with_columns(
        k=(pl.col("occurred_at") - EPOCH) * PLACES + pl.col("place").cast(pl.Int64)
    )
    accounts = lines_of_accounts(keyed)
    return (
        accounts.join(lines_of_items(keyed), on="account", how="left")
        .join(lines_of_backups(keyed, accounts), on="account", how="left")
        .with_columns(
            pl.col(
                "live", "live_bytes", "trashed", "trashed_bytes", "expired", "purged", "removed",
                "backup_bytes",
            ).fill_null(0),
            status=pl.when(pl.col("closed_k") > pl.col("opened_k"))
            .then(pl.lit("closed"))
            .when(pl.col("terminated_k") > pl.col("opened_k"))
            .then(pl.lit("terminated"))
            .when(pl.col("cleared_k") > pl.col("revived_k"))
            .then(pl.lit("cleared"))
            .when(pl.col("frozen_k") > pl.col("revived_k"))
            .then(pl.lit("frozen"))
            .when(pl.col("inactive_at") <= AS_OF)
            .then(pl.lit("at_risk"))
            .otherwise(pl.lit("active")),
        )
        .select(
            "account", "status", "tier", "live", "live_bytes", "trashed", "expired", "purged",
            "removed",
            (pl.col("live_bytes") + pl.col("trashed_bytes") + pl.col("backup_bytes")).alias(
                "used_bytes"
            ),
            "last_activity_at", "inactive_at",
        )
        .sort("account")
    )


def lines_of_accounts(keyed):
    """Tier, times and standing."""
    is_active = kind.is_in(RESETS) & pl.col("actor").is_in(["user", "device"])
    tier, active = pl.col("tier"), pl.col("active_k")
    return (
        keyed.group_by("account")
        .agg(
            first_k=k.min(),
            tier=tier.filter(tier.is_not_null()).get(
                k.filter(tier.is_not_null()).arg_max(), null_on_oob=True
            ),
            opened_k=last("account_opened").fill_null(-1),
            closed_k=last("account_closed"),
            terminated_k=last("account_terminated"),
            cleared_k=last("data_cleared"),
            frozen_k=last("account_frozen"),
            unfrozen_k=last("account_unfrozen"),
            active_k=k.filter(is_active).max(),
            backups_deleted_k=k.filter((kind == "backup_off") & pl.col("delete_backups")).max(),
        )
        .with_columns(
            tier=tier.fill_null("standard"),
            last_activity_at=time_of(active),
            inactive_at=time_of(pl.coalesce(active, "first_k")) + INACTIVE_AFTER,
            revived_k=pl.max_horizontal("opened_k", "unfrozen_k", active),
        )
    )


def lines_of_items(keyed):
    """How many items are in each state, and their bytes."""
    touches = keyed.filter(
        kind.is_in(["item_uploaded", "item_modified", "item_trashed", "item_restored", "item_purged"])
    ).select("account", "item", "kind", "bytes", "k")
    is_sized = kind.is_in(["item_uploaded", "item_modified"]) & size.is_not_null()
    # The present life of an item begins with the last event that made it live, or with the first
    # that names it.
    lives = touches.group_by("account", "item").agg(
        began=pl.coalesce(last("item_uploaded", "item_restored"), k.min()),
        bytes=size.filter(is_sized).get(k.filter(is_sized).arg_max(), null_on_oob=True).fill_null(0),
    )
    # The first trashing and the first purge in it.
    ends = (
        touches.filter(kind.is_in(["item_trashed", "item_purged"]))
        .select("account", "item", "kind", "k")
        .join(lives.select("account", "item", "began"), on=["account", "item"])
        .filter(k >= pl.col("began"))
        .group_by("account", "item")
        .agg(
            trashed=k.filter(kind == "item_trashed").min(),
            purged=k.filter(kind == "item_purged").min(),
        )
    )

    def marks(which, *names):
        return keyed.filter(which).select("account", "k", *names).sort("k")

    clearings = marks(kind == "data_cleared").with_columns(cleared=k)
    emptyings = marks(kind == "trash_emptied").with_columns(emptied=k)
    tiers = marks(
        kind.is_in(["account_opened", "tier_changed"]) & pl.col("tier").is_not_null(), "tier"
    )

    def nearest(left, right, key, strategy):
        return left.sort(key).join_asof(
            right, left_on=key, right_on="k", by="account", strategy=strategy,
            allow_exact_matches=False, check_sortedness=False,
        )

    whole = nearest(
        lives.join(ends, on=["account", "item"], how="left"), clearings, "began", "forward"
    ).select("account", "bytes", "trashed", "purged", "cleared")
    in_trash = whole.filter(pl.col("trashed").is_not_null())
    in_trash = nearest(in_trash, emptyings, "trashed", "forward")
    in_trash = nearest(in_trash, tiers, "trashed", "backward").select(
        "account", "bytes", "trashed", "purged", "cleared", "emptied", "tier"
    )
    rest = whole.filter(pl.col("trashed").is_null()).with_columns(
        emptied=pl.lit(None, pl.Int64), tier=pl.lit(None, pl.String)
    )
    window = pl.when(pl.col("tier") == "diamond").then(DIAMOND_TRASH).otherwise(STANDARD_TRASH)
    ended = pl.min_horizontal("purged", "emptied", "cleared")
    state = (
        pl.when(ended.is_not_null() & (ended == pl.col("cleared")))
        .then(pl.lit("removed"))
        .when(ended.is_not_null())
        .then(pl.lit("purged"))
        .when(pl.col("trashed").is_null())
        .then(pl.lit("live"))
        .when(time_of(pl.col("trashed")) + window > AS_OF)
        .then(pl.lit("trashed"))
        .otherwise(pl.lit("expired"))
    )
    is_in = pl.col("state")
    states = ["live", "trashed", "expired", "purged", "removed"]
    counts = {name: (is_in == name).sum().cast(pl.Int64) for name in states}
    sizes = {f"{name}_bytes": size.filter(is_in == name).sum() for name in states[:2]}
    items = pl.concat([in_trash, rest]).with_columns(state=state)
    return items.group_by("account").agg(**counts, **sizes)


def lines_of_backups(keyed, accounts):
    """A backup is kept if what made it so came after all that removes it."""
    is_completed = kind == "backup_completed"
    removed = pl.max_horizontal("purged_k", "backups_deleted_k", "cleared_k").fill_null(-1)
    return (
        keyed.filter(kind.is_in(["backup_completed", "backup_restored", "backup_purged"]))
        .group_by("account", "backup")
        .agg(
            began=last("backup_completed", "backup_restored"),
            purged_k=last("backup_purged"),
            bytes=size.filter(is_completed)
            .get(k.filter(is_completed).arg_max(), null_on_oob=True)
            .fill_null(0),
        )
        .join(accounts.select("account", "backups_deleted_k", "cleared_k"), on="account")
        .filter(pl.col("began") > removed)
        .group_by("account")
        .agg(backup_bytes=size.sum())
    )
