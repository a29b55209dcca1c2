"""A replay: reads every event line as JSON and folds it, event by event, in plain Python."""

import json
import os
import platform
import sys
from datetime import datetime

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from peer import AS_OF, DIAMOND_TRASH, INACTIVE_AFTER, STANDARD_TRASH, Clock, main

RESETS = frozenset(
    "page_viewed find_device_on synced backup_completed item_uploaded item_modified item_trashed "
    "item_restored item_purged trash_emptied backup_off".split()
)


class Account:
    def __init__(self, first):
        self.first = first
        self.tier = "standard"
        self.closed = self.terminated = self.cleared = self.frozen = False
        self.active = None
        # An item is [state, bytes, deadline]; expired is seen when it is looked at.
        self.items = {}
        # A backup is [kept, bytes].
        self.backups = {}

    def apply(self, at, kind, actor, name, size, tier, delete_backups):
        if kind == "account_opened":
            self.closed = self.terminated = self.cleared = self.frozen = False
            self.tier = tier or self.tier
        elif kind == "tier_changed":
            self.tier = tier
        elif kind == "item_uploaded":
            self.items[name] = ["live", size, None]
        elif kind in ("item_modified", "item_trashed", "item_restored", "item_purged"):
            item = self.items.setdefault(name, ["live", 0, None])
            if kind == "item_modified":
                item[1] = item[1] if size is None else size
            elif kind == "item_restored":
                item[0] = "live"
            elif kind == "item_purged":
                if item[0] != "removed":
                    item[0] = "purged"
            elif item[0] == "live":
                window = DIAMOND_TRASH if self.tier == "diamond" else STANDARD_TRASH
                item[0], item[2] = "trashed", at + window
        elif kind == "trash_emptied":
            for item in self.items.values():
                if item[0] == "trashed":
                    item[0] = "purged"
        elif kind == "data_cleared":
            for item in self.items.values():
                if item[0] != "purged":
                    item[0] = "removed"
            for backup in self.backups.values():
                backup[0] = False
            self.cleared = True
        elif kind == "backup_completed":
            self.backups[name] = [True, size]
        elif kind == "backup_restored":
            self.backups.setdefault(name, [True, 0])[0] = True
        elif kind == "backup_purged":
            self.backups.setdefault(name, [True, 0])[0] = False
        elif kind == "backup_off":
            if delete_backups:
                for backup in self.backups.values():
                    backup[0] = False
        elif kind == "account_closed":
            self.closed = True
        elif kind == "account_terminated":
            self.terminated = True
        elif kind == "account_frozen":
            self.frozen = True
        elif kind == "account_unfrozen":
            self.cleared = self.frozen = False
        if kind in RESETS and actor in ("user", "device"):
            self.active = at
            self.cleared = self.frozen = False

    def line(self, name):
        counts = dict.fromkeys(("live", "trashed", "expired", "purged", "removed"), 0)
        sizes = dict.fromkeys(counts, 0)
        for state, size, deadline in self.items.values():
            if state == "trashed" and AS_OF >= deadline:
                state = "expired"
            counts[state] += 1
            sizes[state] += size
        kept = sum(size for is_kept, size in self.backups.values() if is_kept)
        inactive_at = (self.first if self.active is None else self.active) + INACTIVE_AFTER
        standings = ("closed", "terminated", "cleared", "frozen")
        status = next((word for word in standings if getattr(self, word)), None)
        return {
            "account": name,
            "status": status or ("at_risk" if AS_OF >= inactive_at else "active"),
            "tier": self.tier,
            **counts,
            "live_bytes": sizes["live"],
            "used_bytes": sizes["live"] + sizes["trashed"] + kept,
            "last_activity_at": self.active,
            "inactive_at": inactive_at,
        }


def seen(at, event):
    """What a fold reads of an event: all of it would not fit into memory."""
    get = event.get
    return (
        at,
        sys.intern(event["kind"]),
        sys.intern(event["actor"]),
        get("item") or get("backup"),
        get("bytes"),
        get("tier"),
        get("delete_backups"),
    )


def accounts(out):
    """Late events make it sort: an account's events are folded by when they happened."""
    with Clock() as clock:
        by_account = {}
        with open("events.ndjson", encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                time = datetime.fromisoformat(event["occurred_at"].replace("Z", "+00:00"))
                at = round(time.timestamp() * 1000)
                if at <= AS_OF:
                    by_account.setdefault(event["account"], []).append(seen(at, event))
        with open(out, "w", encoding="utf-8") as file:
            for name in sorted(by_account):
                events = by_account[name]
                events.sort(key=lambda event: event[0])
                account = Account(events[0][0])
                for event in events:
                    account.apply(*event)
                file.write(json.dumps(account.line(name)) + "\n")
    return clock.seconds


main({"accounts": accounts}, platform.python_version())
