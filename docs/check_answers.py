#!/usr/bin/env python3
"""What follows from an account's events under a policy: states, findings and verdicts.

Written from docs/events.md, policies.md, answers.md and choices.md, and from the layout of a compiled policy
(docs/proofs.md, "Certificates"). The plainest fold that could be right: it walks from instant to instant and looks at
everything at each. check_certificate.py, beside which this file lies, feeds it. Times are whole milliseconds since
1970; None is never.
"""

import bisect
import re
from dataclasses import dataclass, field

DAY = 86_400_000
EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
YEAR_2500 = 16_725_225_600_000
KINDS = """account_opened tier_changed quota_changed signed_in sign_in_failed page_viewed
find_device_on find_device_off sync_on sync_off synced item_uploaded item_modified item_trashed
item_restored item_purged trash_emptied backup_on backup_completed backup_restored backup_purged
backup_off upload_rejected inactivity_notified account_frozen account_unfrozen account_terminated
account_closed data_cleared hold_placed hold_released""".split()
ACTORS = "user", "device", "provider", "support"
SURFACES = None, "web", "app", "desktop", "device"
PURGE_CAUSES = "sync_off", "quota", "tier_lapsed", "inactivity", "expired"
ACTS = "freeze", "clear", "terminate", "purge", "purge_trashed"
CLEARINGS = "inactivity_cleared", "account_terminated", "account_closed"
ASSERTS = """kept recoverable gone deleted_by_user not_deleted_by_user expired purged_on_time lost_after_sync_off
cleared_for_inactivity""".split()
NEVER_OF_A_BACKUP = "recoverable", "expired", "lost_after_sync_off"
WARNINGS = ("overdue-purge", "restored-after-window", "cleared-without-notice", "upload-while-sync-off",
            "upload-over-quota")
NOTES = "unknown-item", "purged-without-trash", "late-recorded"
LOSSES = {"sync_off": "loss-after-sync-off", "quota": "loss-over-quota", "tier_lapsed": "loss-on-tier-lapse"}


# --- the calendar ---

def days_of(year, month, day):
    """Days since 1970-01-01 in the Gregorian calendar."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days):
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return era * 400 + year + (month <= 2), month, day


def month_length(year, month):
    return days_of(year + month // 12, month % 12 + 1, 1) - days_of(year, month, 1)


def months_later(days, count):
    """The same day of a later month, or that month's last."""
    year, month, day = date_of(days)
    year, month = divmod(year * 12 + month - 1 + count, 12)
    return days_of(year, month + 1, min(day, month_length(year, month + 1)))


def time_text(at):
    if at is None:
        return None
    days, ms = divmod(at, DAY)
    seconds, ms = divmod(ms, 1000)
    clock = "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)
    return "%04d-%02d-%02dT" % date_of(days) + clock + (".%03d" % ms if ms else "") + "Z"


def time_of(text):
    """RFC 3339 with an offset, in the years 1 to 9999 as written and in UTC."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
                         r"(?:[Zz]|([+-])(\d\d):(\d\d))", text, re.ASCII)
    assert found, "no time"
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    assert 1 <= year and 1 <= month <= 12 and 1 <= day <= month_length(year, month), "no date"
    assert hour <= 23 and minute <= 59 and second <= 60, "no time of day"
    at = (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000
    at += int(((found[7] or "") + "000")[:3])
    if found[8]:
        assert int(found[9]) <= 23 and int(found[10]) <= 59, "no offset"
        offset = (int(found[9]) * 60 + int(found[10])) * 60_000
        at += -offset if found[8] == "+" else offset
    assert EARLIEST <= at <= LATEST, "out of range"
    return at


class Zone:
    """Offsets by the instants from which they hold."""

    def __init__(self, first, changes):
        self.instants = [at for at, _ in changes]
        self.offsets = [offset * 1000 for offset in (first, *(offset for _, offset in changes))]

    def local(self, at):
        return at + self.offsets[bisect.bisect_right(self.instants, at)]

    def instant(self, local):
        """The first instant of that local time; where a change skips it, as the offset before has it."""
        for n, offset in enumerate(self.offsets):
            at = local - offset
            if n == len(self.instants) or at < self.instants[n]:
                return at       # of the span, or before it: in the gap that opened it
            if local < self.instants[n] + self.offsets[n + 1]:
                return at       # the next span begins later than that
        raise AssertionError("the last span has no end")

    def after(self, at, window, by_dates=False):
        """The end of a window that begins then. By dates, the end of its last local day."""
        if window is None:
            return None
        unit, count = window
        days, ms = divmod(self.local(at), DAY)
        days = days + count if unit == 0 else months_later(days, count * (12 if unit == 2 else 1))
        if by_dates:
            end = self.instant((days + 1) * DAY)
        else:
            end = at + count * DAY if unit == 0 else self.instant(days * DAY + ms)
        return end if end <= LATEST else None


# --- policies, from their compiled form ---

def words(value, count):
    assert isinstance(value, list) and len(value) == count, "another number of fields"
    return value


def number(value, limit, least=0):
    assert type(value) is int and least <= value < limit, "no such number"
    return value


def name(value, limit=128):
    assert isinstance(value, str) and 1 <= len(value.encode()) <= limit, "no name"
    return value


def digest(value):
    assert isinstance(value, bytes) and len(value) == 32, "no hash"
    return value


def many(value):
    assert isinstance(value, list), "no list"
    return value


def rising(values):
    """Text rises by its bytes."""
    keys = [value.encode() if isinstance(value, str) else value for value in values]
    assert all(a < b for a, b in zip(keys, keys[1:])), "not in order"
    return values


def window(value):
    if value is None:
        return None
    unit, count = words(value, 2)
    return number(unit, 3), number(count, 1 << 32)


@dataclass(frozen=True)
class Stage:
    """What a provider may do when a condition has held for long."""
    when: str
    after: object
    admits: list
    categories: list
    notice: object

    def is_about(self, category):
        return not self.categories or category in self.categories

    def admits_purge(self, category, is_trashed):
        return self.is_about(category) and ("purge" in self.admits or is_trashed and "purge_trashed" in self.admits)


class Rules:
    def __init__(self, value):
        self.is_longer = len(many(value)) == 8
        *value, further = value if self.is_longer else [*value, None]
        on_change, tiers, trash, inactivity, over, stale_after, late_after = words(value, 7)
        self.on_change = ("grandfather", "restart", "retroactive")[number(on_change, 3)]
        self.tiers = {}
        for tier in many(tiers):
            tier, quota, trash_window = words(tier, 3)
            assert name(tier) not in self.tiers, "a tier twice"
            self.tiers[tier] = None if quota is None else number(quota, 1 << 64), window(trash_window)
        assert self.tiers, "no tier"
        basis, days, purge_lag, counts, categories, no_trash = words(trash, 6)
        self.basis = ("tier_when_trashed", "tier_now", "longest_held")[number(basis, 3)]
        self.by_dates = number(days, 2) == 1
        self.purge_lag = window(purge_lag)
        assert isinstance(counts, bool), "neither true nor false"
        self.counts_toward_quota = counts
        categories = [words(pair, 2) for pair in many(categories)]
        self.categories = {name(category): window(end) for category, end in categories}
        rising([category for category, _ in categories])
        self.no_trash = rising([name(category) for category in many(no_trash)])
        inactive_after, resets, actors, notice, exempt_tiers = words(inactivity, 5)
        self.inactive_after, self.notice = window(inactive_after), window(notice)
        self.resets = [KINDS[kind] for kind in rising([number(kind, 31) for kind in many(resets)])]
        self.actors = [ACTORS[actor] for actor in rising([number(actor, 4) for actor in many(actors)])]
        self.exempt_tiers = rising([name(tier) for tier in many(exempt_tiers)])
        assert set(exempt_tiers) <= set(self.tiers), "an exempt tier that is none"
        self.blocks_uploads = number(over, 2) == 0
        self.stale_after, self.late_after = window(stale_after), window(late_after)
        self.full, self.everywhere, self.stages, self.keep = None, [], {}, None
        if self.is_longer:
            self.read_further(*words(further, 4 if len(many(further)) == 4 else 3))

    def read_further(self, full, everywhere, stages, *keep):
        if full is not None:
            percent, of, short, shortens = words(full, 4)
            self.full = (number(percent, 101), ("limit", "free")[number(of, 2)], window(short),
                         ("while_full", "once_full")[number(shortens, 2)])
        self.everywhere = [KINDS[kind] for kind in rising([number(kind, 31) for kind in many(everywhere)])]
        for stage in many(stages):
            ident, when, after, acts, categories, notice = words(stage, 6)
            when = ("over_quota", "trash_full", "category_inactive")[number(when, 3)]
            acts = [ACTS[act] for act in rising([number(act, 5) for act in many(acts)])]
            assert acts and (when != "category_inactive" or acts == ["purge"]), "acts that the condition cannot admit"
            categories = rising([name(category) for category in many(categories)])
            self.stages[name(ident)] = Stage(when, window(after), acts, categories, window(notice))
        rising([stage[0] for stage in stages])
        if keep:
            self.keep = window(*keep)
            assert self.keep, "records that are kept for ever"
        assert self.full or self.everywhere or self.stages or self.keep, "further rules that are none"

    def tier(self, tier):
        """The tier by which this one is measured."""
        return tier if tier in self.tiers else next(iter(self.tiers))

    def quota(self, tier):
        return self.tiers[self.tier(tier)][0]

    def trash_window(self, category, tier):
        return self.categories[category] if category in self.categories else self.tiers[self.tier(tier)][1]

    def is_exempt(self, tier):
        return self.tier(tier) in self.exempt_tiers


class Version:
    def __init__(self, value):
        ident, since, confidence, source, rules, clauses, readings = words(value, 7)
        self.id, self.since, self.rules = name(ident), number(since, LATEST + 1, EARLIEST), Rules(rules)
        number(confidence, 3), digest(source)
        self.clauses = []
        for clause in many(clauses):
            if len(many(clause)) == 4:
                *clause, stated = clause
                self.read_stated(*words(stated, 3))
            ident, meant, texts = words(clause, 3)
            for language, text in (words(pair, 2) for pair in many(texts)):
                name(language), digest(text)
            rising([language for language, _ in texts])
            self.clauses.append((name(ident), [name(word) for word in many(meant)]))
        assert len({ident for ident, _ in self.clauses}) == len(self.clauses), "a clause twice"
        self.readings = {name(ident): Rules(left) for ident, left in (words(pair, 2) for pair in many(readings))}
        rising([ident for ident, _ in readings])
        assert "default" not in self.readings, "a reading called default"
        tiers = list(self.rules.tiers)
        assert all(list(rules.tiers) == tiers for rules in self.readings.values()), "a reading of other tiers"
        stages = list(self.rules.stages)
        assert all(rules.keep == self.rules.keep for rules in self.readings.values()), "a reading that keeps otherwise"
        assert all(list(rules.stages) == stages for rules in self.readings.values()), "a reading of other stages"

    @staticmethod
    def read_stated(confidence, source, seen):
        assert (confidence, source, seen) != (None, None, None), "a clause stated nowhere"
        if confidence is not None:
            number(confidence, 3)
        if source is not None:
            digest(source)
        if seen is not None:
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", seen, re.ASCII), "no date"
            time_of(seen + "T00:00:00Z")

    def clauses_for(self, *meant):
        return [ident for ident, said in self.clauses if any(word in said for word in meant)]


class Policy:
    """The whole of it; `reading` names the one that it is read by."""

    def __init__(self, value):
        magic, layout, self.name, zone, versions = words(value, 5)
        assert magic == "stillthere policy" and type(layout) is int and layout == 1, "no policy"
        name(self.name)
        first, changes = words(zone, 2)
        offset = 1 << 31
        changes = [(number(at, LATEST + 1, EARLIEST), number(to, offset, -offset)) for at, to in
                   (words(pair, 2) for pair in many(changes))]
        rising([at for at, _ in changes])
        assert all(at % 1000 == 0 and at < YEAR_2500 for at, _ in changes), "no change of a zone"
        self.zone = Zone(number(first, offset, -offset), changes)
        self.versions = [Version(version) for version in many(versions)]
        ids = {version.id for version in self.versions}
        assert ids and len(ids) == len(self.versions), "no version, or one twice"
        self.starts = rising([version.since for version in self.versions])
        self.reading = "default"

    def readings(self):
        return sorted({"default"}.union(*(version.readings for version in self.versions)), key=str.encode)

    def version(self, at):
        return self.versions[max(0, bisect.bisect_right(self.starts, at) - 1)]

    def rules_of(self, version):
        return version.readings.get(self.reading, version.rules)

    def rules(self, at):
        return self.rules_of(self.version(at))

    def reads_other_items(self):
        """Whether what becomes of an item can rest on others."""
        rules = [rules for version in self.versions for rules in (version.rules, *version.readings.values())]
        return any(each.full or each.stages for each in rules)

    def read_as(self, reading):
        other = object.__new__(Policy)
        other.__dict__ = {**self.__dict__, "reading": reading}
        return other


# --- what is folded ---

@dataclass(frozen=True)
class Event:
    """Of an event that is shown by its envelope alone, `fields` is None: it is about something else."""
    revision: int
    kind: str
    actor: str
    surface: object
    occurred_at: int
    recorded_at: int
    is_recorded_by_source: bool
    position: object = None
    fields: object = None
    hash: str = ""

    def is_users(self):
        return self.actor in ("user", "device")


@dataclass(eq=False)
class Trash:
    """One stay in the trash: which rules measure it, from when."""
    event: Event
    rules: Rules
    since: int
    tiers: list
    was_full: bool = False          # at any moment since, by those rules


@dataclass(eq=False)
class Subject:
    """An item or a backup in its present life."""
    name: str
    category: object
    bytes: int
    since: int
    began: Event
    state: str
    is_backup: bool = False
    cause: object = None
    left: object = None             # the event that took it out of live or kept
    ended: object = None            # the one that ended it
    trash: object = None
    deadline: object = None
    is_lapsed: bool = False
    completed_at: object = None
    is_lost_after_sync_off: bool = False
    is_cleared_for_inactivity: bool = False

    def come_back(self, state, at):
        self.state, self.since = state, at
        self.cause = self.left = self.ended = self.trash = self.deadline = None
        self.is_lapsed = self.is_lost_after_sync_off = self.is_cleared_for_inactivity = False

    def end(self, state, cause, event):
        if self.state in ("live", "kept"):
            self.left = event
        self.state, self.cause, self.since, self.ended = state, cause, event.occurred_at, event

    def recoverable_until(self):
        return time_text(self.deadline) if self.state in ("trashed", "expired") else None


@dataclass
class Account:
    """What an account is at an instant."""
    tier: str
    first_at: int
    quota: object = None
    last_at: object = None
    last_kind: object = None
    status: set = field(default_factory=set)
    is_closed_by_user: bool = False
    holds: set = field(default_factory=set)
    sync: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    backups: dict = field(default_factory=dict)
    notices: list = field(default_factory=list)
    activities: list = field(default_factory=list)
    measured: object = None         # what was used and allowed when it was last looked at
    over: object = None             # conditions: Held, or None
    full: object = None
    categories: dict = field(default_factory=dict)


@dataclass(eq=False)
class Held:
    """A condition that has held since then, and the notices since."""
    since: int
    notices: list = field(default_factory=list)


class Fold:
    """An account's events up to an instant, folded under a policy."""

    def __init__(self, account, events, policy, as_of, known_at):
        self.account, self.policy, self.as_of, self.zone = account, policy, as_of, policy.zone
        events = [event for event in events if event.occurred_at <= as_of and event.recorded_at <= known_at]
        self.events = sorted(events, key=lambda event: (event.occurred_at, event.revision))
        self.findings, self.due = [], []
        if self.events:
            first_at = self.events[0].occurred_at
            self.now = Account(next(iter(policy.rules(first_at).tiers)), first_at)
            # The rules in force: at an instant at which others begin, the deadlines fall by those before.
            self.in_force = policy.rules(first_at)
            self.is_watched = any(policy.rules_of(version).full or policy.rules_of(version).stages
                                  for version in policy.versions)
            self.is_admitted = False
            self.walk()
            self.find_late()

    # The walk through time

    def walk(self):
        events = list(self.events)
        versions = [version for version in self.policy.versions[1:] if version.since <= self.as_of]
        while True:
            instants = [event.occurred_at for event in events[:1]] + [version.since for version in versions[:1]]
            instants += [item.deadline for item in self.in_trash() if item.deadline is not None]
            instants += [at for at, _, _ in self.due]
            at = min(instants, default=None)
            if at is None or at > self.as_of:
                return
            was_held = bool(self.now.holds)
            self.fall(at)
            while versions and versions[0].since == at:
                self.begin_version(versions.pop(0))
                self.look(at)
                self.fall(at)
            while events and events[0].occurred_at == at:
                self.take(events.pop(0))
            self.find_overdue(at, was_held)

    def fall(self, at):
        due = [item for item in self.in_trash() if item.deadline is not None and item.deadline <= at]
        for item in due:
            self.expire(item, item.deadline)
        if due:
            self.look(at)

    def in_trash(self):
        return [item for item in self.now.items.values() if item.state == "trashed"]

    def find_overdue(self, at, was_held):
        for due, item, trash in [due for due in self.due if due[0] <= at]:
            is_same = self.now.items[item.name] is item and item.trash is trash
            if is_same and item.state == "expired" and not was_held:
                self.find("overdue-purge", trash.event, item, at=due)
        self.due = [due for due in self.due if due[0] > at]

    def find(self, code, event, subject=None, at=None, **more):
        at = event.occurred_at if at is None else at
        severity = "warning" if code in WARNINGS else "note" if code in NOTES else "breach"
        clause = next(iter(self.policy.version(at).clauses_for(code)), None)
        about = {"backup" if subject.is_backup else "item": subject.name} if subject else {}
        self.findings.append({"account": self.account, "code": code, "severity": severity, "at": at,
                              "position": event.position, "revision": event.revision, "clause": clause, **about, **more})

    def find_late(self):
        late = []
        for event in self.events:
            limit = self.zone.after(event.occurred_at, self.policy.rules(event.occurred_at).late_after)
            if event.is_recorded_by_source and limit is not None and event.recorded_at > limit:
                late.append(event)
        if late:
            self.find("late-recorded", late[0], count=len(late))

    # The trash

    def deadline(self, item):
        rules, trash = item.trash.rules, item.trash
        tiers = {"tier_when_trashed": trash.tiers[:1], "tier_now": [self.now.tier], "longest_held": trash.tiers}
        windows = [rules.trash_window(item.category, tier) for tier in tiers[rules.basis]]
        ends = [self.zone.after(trash.since, each, rules.by_dates) for each in windows]
        end = None if None in ends else max(ends)
        if rules.full:
            is_short = trash.was_full if rules.full[3] == "once_full" else self.is_full(rules)
            short = self.zone.after(trash.since, rules.full[2], rules.by_dates) if is_short else None
            end = short if end is None else end if short is None else min(end, short)
        return end

    def set_deadline(self, item, at):
        """No window ends before what set it; what ends by then falls when all of it was looked at."""
        deadline = self.deadline(item)
        item.deadline = deadline if deadline is None else max(deadline, at)

    # Conditions

    def kept(self):
        return sum(item.bytes for item in self.now.items.values() if item.state == "live") + \
            sum(backup.bytes for backup in self.now.backups.values() if backup.state == "kept")

    def is_full(self, rules):
        """Whether the trash is full by these rules now."""
        limit = self.limit_by(self.in_force)
        if rules.full is None or limit is None:
            return False
        whole = limit if rules.full[1] == "limit" else max(0, limit - self.kept())
        return sum(item.bytes for item in self.in_trash()) * 100 > whole * rules.full[0]

    def look(self, at, is_admitted=False):
        """What is used and the trash, after something happened at that instant."""
        if not self.is_watched:
            return
        used = self.kept()
        if self.in_force.counts_toward_quota:
            used += sum(item.bytes for item in self.in_trash())
        limit = self.limit_by(self.in_force)
        measured = used, limit
        if limit is not None and used > limit:
            self.now.over = self.now.over or Held(at)
        elif measured != self.now.measured and not is_admitted:
            self.now.over = None
        self.now.measured = measured
        self.now.full = (self.now.full or Held(at)) if self.is_full(self.in_force) else None
        for item in self.in_trash():
            if item.trash.rules.full:
                item.trash.was_full |= self.is_full(item.trash.rules)
                self.set_deadline(item, at)

    def count_category(self, event):
        """What names a category begins its clock, what is activity in it begins that anew."""
        now, at, rules = self.now, event.occurred_at, self.policy.rules(event.occurred_at)
        held = [each for each in (now.over, now.full, *now.categories.values()) if each]
        if event.kind == "inactivity_notified":
            for each in held:
                each.notices.append(at)
        category = None
        if event.fields is not None and event.kind in ("sync_on", "sync_off", "synced"):
            category = event.fields[0]
        elif event.fields is not None and event.kind == "item_uploaded":
            category = event.fields[1]
        elif event.fields is not None and event.kind in ("item_modified", "item_trashed", "item_restored", "item_purged"):
            category = now.items[event.fields[0]].category
        counts = event.actor in rules.actors
        if category is not None and (category not in now.categories or counts and event.kind in rules.resets):
            now.categories[category] = Held(at)
        if counts and event.kind in rules.everywhere:
            now.categories = {each: Held(at) for each in now.categories}

    def held_for(self, stage, category, at):
        if stage.when == "over_quota":
            return self.now.over
        if stage.when == "trash_full":
            return self.now.full
        return None if self.policy.rules(at).is_exempt(self.now.tier) else self.now.categories.get(category)

    def reached(self, stage, category, at):
        """The condition, if it has held for long enough."""
        held = self.held_for(stage, category, at)
        end = self.zone.after(held.since, stage.after) if held else None
        return held if end is not None and end <= at else None

    def admits(self, act, at):
        stages = self.policy.rules(at).stages.values()
        return any(act in stage.admits and self.reached(stage, None, at) for stage in stages)

    def admits_purge(self, subject, event, given):
        """Whether a stage admits it; a finding if none of them had its notice."""
        at, admitting = event.occurred_at, []
        for stage in self.policy.rules(at).stages.values():
            asked = "inactivity" if stage.when == "category_inactive" else "quota"
            if given == asked and stage.admits_purge(subject.category, subject.state == "trashed"):
                held = self.reached(stage, subject.category, at)
                if held:
                    admitting.append((stage, held))
        if not admitting:
            return False
        if any(stage.when == "over_quota" for stage, _ in admitting):
            self.is_admitted = True

        def is_noticed(stage, held):
            ends = [self.zone.after(told_at, stage.notice) for told_at in held.notices]
            return stage.notice is None or any(end is not None and end <= at for end in ends)

        if not any(is_noticed(stage, held) for stage, held in admitting):
            self.find("cleared-without-notice", event, subject)
        return True

    def stage_rows(self):
        rows = []
        stages = self.policy.rules(self.as_of).stages
        for ident in sorted(stages, key=str.encode):
            stage, categories = stages[ident], [None]
            if stage.when == "category_inactive":
                categories = [each for each in sorted(self.now.categories, key=str.encode) if stage.is_about(each)]
            for category in categories:
                held = self.held_for(stage, category, self.as_of)
                at = self.zone.after(held.since, stage.after) if held else None
                rows.append({"stage": ident, "when": stage.when, "category": category,
                             "since": time_text(held.since) if held else None, "reached_at": time_text(at),
                             "reached": at is not None and at <= self.as_of})
        return {"stages": rows} if rows else {}

    # What becomes of it

    def expire(self, item, at):
        item.state, item.cause, item.since, item.deadline, item.is_lapsed = "expired", "window_lapsed", at, at, True
        due = self.zone.after(at, self.policy.rules(at).purge_lag)
        if due is not None:
            self.due.append((due, item, item.trash))

    def put_in_trash(self, item, event):
        at = event.occurred_at
        item.state, item.since, item.left = "trashed", at, event
        item.cause = "user_trashed" if event.is_users() else "provider_trashed"
        item.trash = Trash(event, self.policy.rules(at), at, [self.now.tier])
        self.set_deadline(item, at)

    def set_tier(self, tier, at):
        self.now.tier = tier
        for item in self.in_trash():
            item.trash.tiers.append(tier)
            if item.trash.rules.basis != "tier_when_trashed":
                self.set_deadline(item, at)

    def begin_version(self, version):
        rules, at = self.policy.rules_of(version), version.since
        self.in_force = rules
        if rules.on_change == "grandfather":
            return
        for item in self.in_trash():
            item.trash.rules = rules
            item.trash.since = at if rules.on_change == "restart" else item.trash.event.occurred_at
            item.trash.was_full = False
            self.set_deadline(item, at)

    # What is asked on the way

    def inactive_at(self, at):
        last = self.now.first_at if self.now.last_at is None else self.now.last_at
        return self.zone.after(last, self.policy.rules(at).inactive_after)

    def is_inactive(self, at):
        """Inactive, and not exempt."""
        end = self.inactive_at(at)
        return end is not None and end <= at and not self.policy.rules(at).is_exempt(self.now.tier)

    def used(self, at):
        counted = ("live", "trashed") if self.policy.rules(at).counts_toward_quota else ("live",)
        return sum(item.bytes for item in self.now.items.values() if item.state in counted) + \
            sum(backup.bytes for backup in self.now.backups.values() if backup.state == "kept")

    def limit_by(self, rules):
        return rules.quota(self.now.tier) if self.now.quota is None else self.now.quota

    def limit(self, at):
        return self.limit_by(self.policy.rules(at))

    def is_over(self, at):
        limit = self.limit(at)
        return limit is not None and self.used(at) > limit

    # Events, a method a kind where it does anything

    def take(self, event):
        if event.fields is not None:
            act = getattr(self, event.kind, None)
            if act:
                act(event, *event.fields)
        self.look(event.occurred_at, self.is_admitted)
        self.is_admitted = False
        self.fall(event.occurred_at)
        if self.is_watched:
            self.count_category(event)
        rules = self.policy.rules(event.occurred_at)
        if event.kind in rules.resets and event.actor in rules.actors:
            self.now.last_at, self.now.last_kind = event.occurred_at, event.kind
            self.now.activities.append(event.occurred_at)
            self.now.status -= {"cleared", "frozen"}
            self.now.notices = []

    def seen(self, event, subject_name, is_backup=False):
        """The subject; made first if it was never seen."""
        subjects, state = (self.now.backups, "kept") if is_backup else (self.now.items, "live")
        if subject_name not in subjects:
            subjects[subject_name] = Subject(subject_name, None, 0, event.occurred_at, event, state, is_backup)
            self.find("unknown-item", event, subjects[subject_name])
        return subjects[subject_name]

    def find_held(self, event, subject):
        if self.now.holds:
            self.find("purged-under-hold", event, subject)

    def account_opened(self, event, tier):
        self.now.status, self.now.is_closed_by_user = set(), False
        if tier is not None:
            self.set_tier(tier, event.occurred_at)

    def tier_changed(self, event, tier):
        self.set_tier(tier, event.occurred_at)

    def quota_changed(self, _, limit):
        self.now.quota = limit

    def sync_on(self, _, category):
        self.now.sync[category] = True

    def sync_off(self, _, category):
        self.now.sync[category] = False

    def synced(self, _, category):
        self.now.sync.setdefault(category, None)

    def item_uploaded(self, event, item, category, size):
        item = Subject(item, category, size, event.occurred_at, event, "live")
        if event.surface == "device" and self.now.sync.get(category) is False:
            self.find("upload-while-sync-off", event, item)
        self.find_over(event, item)
        self.now.items[item.name] = item

    def find_over(self, event, subject):
        if self.policy.rules(event.occurred_at).blocks_uploads and self.is_over(event.occurred_at):
            self.find("upload-over-quota", event, subject)

    def item_modified(self, event, item, size):
        item = self.seen(event, item)
        if size is not None:
            item.bytes = size

    def item_trashed(self, event, item):
        item = self.seen(event, item)
        if item.state != "live":
            return
        if item.category in self.policy.rules(event.occurred_at).no_trash:
            self.purge(item, event, None, is_noted=False)
            return
        if not event.is_users():
            self.find("trashed-by-provider", event, item)
        self.put_in_trash(item, event)

    def item_restored(self, event, item):
        item = self.seen(event, item)
        if item.state == "expired":
            self.find("restored-after-window", event, item)
        if item.state in ("purged", "removed"):
            self.find("resurrected", event, item)
        if item.state != "live":
            item.come_back("live", event.occurred_at)

    def item_purged(self, event, item, cause):
        item = self.seen(event, item)
        if item.state in ("live", "trashed", "expired"):
            self.purge(item, event, None if cause is None else PURGE_CAUSES[cause])

    def trash_emptied(self, event):
        for item in self.now.items.values():
            if item.state in ("trashed", "expired"):
                self.purge(item, event, None, by_user="user_emptied_trash")

    def purge(self, item, event, given, by_user="user_purged", is_noted=True):
        if event.is_users():
            cause = by_user
            if item.state == "live" and is_noted:
                self.find("purged-without-trash", event, item)
        elif item.state == "expired":
            cause = "window_lapsed"
        elif given == "inactivity" and self.is_inactive(event.occurred_at):
            cause = "inactivity_cleared"
        elif self.admits_purge(item, event, given):
            cause = "quota_cleared" if given == "quota" else "inactivity_cleared"
        else:
            cause = "provider_purged"
            loss = LOSSES.get(given, "purge-without-cause")
            self.find("premature-purge" if item.state == "trashed" else loss, event, item)
            item.is_lost_after_sync_off = self.now.sync.get(item.category) is False
        self.find_held(event, item)
        item.end("purged", cause, event)

    def backup_completed(self, event, backup, size, _):
        backup = Subject(backup, None, size, event.occurred_at, event, "kept", True, completed_at=event.occurred_at)
        self.find_over(event, backup)
        self.now.backups[backup.name] = backup

    def backup_restored(self, event, backup):
        backup = self.seen(event, backup, True)
        if backup.state == "removed":
            self.find("resurrected", event, backup)
            backup.come_back("kept", event.occurred_at)

    def backup_purged(self, event, backup, cause):
        backup = self.seen(event, backup, True)
        if backup.state == "kept":
            self.remove_backup(backup, event, None if cause is None else PURGE_CAUSES[cause])

    def backup_off(self, event, deletes_backups):
        for backup in self.now.backups.values():
            if deletes_backups and backup.state == "kept":
                self.remove_backup(backup, event, None)

    def remove_backup(self, backup, event, given):
        at = event.occurred_at
        stale_at = None
        if backup.completed_at is not None:
            stale_at = self.zone.after(backup.completed_at, self.policy.rules(at).stale_after)
        if event.is_users():
            cause = "user_deleted_backups"
        elif stale_at is not None and stale_at <= at:
            cause = "window_lapsed"
        elif given == "inactivity" and self.is_inactive(at):
            cause = "inactivity_cleared"
        elif self.admits_purge(backup, event, given):
            cause = "quota_cleared"
        else:
            cause = "provider_purged"
            self.find("purge-without-cause", event, backup)
        self.find_held(event, backup)
        backup.end("removed", cause, event)

    def find_while_active(self, code, event, act):
        at = event.occurred_at
        if not (event.is_users() or self.now.is_closed_by_user or self.is_inactive(at) or self.admits(act, at)):
            self.find(code, event)

    def inactivity_notified(self, event):
        self.now.notices.append(event.occurred_at)

    def account_frozen(self, event):
        self.find_while_active("frozen-while-active", event, "freeze")
        self.now.status.add("frozen")

    def account_unfrozen(self, _):
        self.now.status -= {"cleared", "frozen"}

    def account_terminated(self, event):
        self.find_while_active("terminated-while-active", event, "terminate")
        self.now.status.add("terminated")

    def account_closed(self, event):
        self.find_while_active("terminated-while-active", event, "terminate")
        self.now.status.add("closed")
        self.now.is_closed_by_user |= event.is_users()

    def data_cleared(self, event, cause):
        at, cause = event.occurred_at, CLEARINGS[cause]
        is_justified = cause == "inactivity_cleared" and self.is_inactive(at)
        self.find_while_active("cleared-while-active", event, "clear")
        notice = self.policy.rules(at).notice
        if notice is not None and not event.is_users() and not self.now.is_closed_by_user:
            ends = [self.zone.after(told_at, notice) for told_at in self.now.notices]
            if not any(end is not None and end <= at for end in ends):
                self.find("cleared-without-notice", event)
        for subject in [*self.now.items.values(), *self.now.backups.values()]:
            if subject.state in ("live", "trashed", "expired", "kept"):
                self.find_held(event, subject)
                subject.end("removed", cause, event)
                subject.is_cleared_for_inactivity = is_justified
        self.now.status.add("cleared")

    def hold_placed(self, _, hold):
        self.now.holds.add(hold)

    def hold_released(self, _, hold):
        self.now.holds.discard(hold)

    # What people see

    def status(self):
        for status in ("closed", "terminated", "cleared", "frozen"):
            if status in self.now.status:
                return status
        return "at_risk" if self.is_inactive(self.as_of) else "active"

    def windows(self):
        """The spans in which the account counted as active: between two instants at which anything changes, to the end
        of the window that stands there."""
        starts = [start for start in self.policy.starts if self.now.first_at < start <= self.as_of]
        instants = sorted({self.now.first_at, *self.now.activities, *starts})
        spans = []
        for at, until in zip(instants, [*instants[1:], None]):
            last = max((active_at for active_at in self.now.activities if active_at <= at), default=self.now.first_at)
            ends = self.zone.after(last, self.policy.rules(at).inactive_after), until
            end = min((end for end in ends if end is not None), default=None)
            if end is not None and end <= at:
                continue
            if spans and spans[-1][1] == at:
                spans[-1][1] = end
            else:
                spans.append([at, end])
        return [{"from": time_text(begin), "to": time_text(end)} for begin, end in spans]

    def item_row(self, item):
        days = None
        if item.state in ("trashed", "expired") and item.deadline is not None:
            days = max(0, -(-(item.deadline - self.as_of) // DAY))
        return {"item": item.name, "category": item.category, "state": item.state, "bytes": item.bytes,
                "since": time_text(item.since), "recoverable_until": item.recoverable_until(), "remaining_days": days,
                "cause": item.cause}

    def backup_row(self, backup):
        return {"backup": backup.name, "state": backup.state, "bytes": backup.bytes, "since": time_text(backup.since),
                "cause": backup.cause}

    def category_row(self, category):
        items = [item for item in self.now.items.values() if item.category == category]
        states = [item.state for item in items]
        return {"sync": self.now.sync.get(category), "live": states.count("live"), "trashed": states.count("trashed"),
                "gone": len([state for state in states if state in ("expired", "purged", "removed")]),
                "bytes": sum(item.bytes for item in items if item.state == "live")}

    def finding_rows(self):
        def place(row):
            return row["at"], row["position"], row["code"], named(row, "item"), named(row, "backup")
        return [{**row, "at": time_text(row["at"])} for row in sorted(self.findings, key=place)]

    def state(self):
        now, at = self.now, self.as_of
        states = [item.state for item in now.items.values()]
        categories = {item.category for item in now.items.values()} - {None} | set(now.sync)
        return {
            "account": self.account, "as_of": time_text(at), "policy": self.policy.name,
            "revision": max(event.revision for event in self.events), "status": self.status(), "tier": now.tier,
            "quota": {"limit_bytes": self.limit(at), "used_bytes": self.used(at), "over": self.is_over(at)},
            "activity": {"last_at": time_text(now.last_at), "last_kind": now.last_kind,
                         "inactive_at": time_text(self.inactive_at(at)), "windows": self.windows()},
            "categories": {category: self.category_row(category) for category in sorted(categories, key=str.encode)},
            "items": [self.item_row(now.items[item]) for item in sorted(now.items, key=str.encode)],
            "backups": [self.backup_row(now.backups[backup]) for backup in sorted(now.backups, key=str.encode)],
            "counts": {state: states.count(state) for state in ("live", "trashed", "expired", "purged", "removed")},
            "findings": self.finding_rows(), **self.stage_rows(),
        }


# --- claims ---

def holds(fold, subject, asserts):
    """Whether what is asserted holds of an item or a backup."""
    is_gone = subject.state in ("expired", "purged", "removed")
    is_out = is_gone or subject.state == "trashed"
    if subject.is_backup and asserts in NEVER_OF_A_BACKUP:
        return False
    if asserts == "kept":
        return not is_gone
    if asserts == "recoverable":
        return subject.state == "trashed"
    if asserts == "gone":
        return is_gone
    if asserts == "deleted_by_user":
        return is_out and subject.left.is_users()
    if asserts == "not_deleted_by_user":
        return not (is_out and subject.left.is_users())
    if asserts == "expired":
        return is_gone and subject.is_lapsed
    if asserts == "purged_on_time":
        return is_purged_on_time(fold, subject)
    if asserts == "lost_after_sync_off":
        return subject.state == "purged" and subject.is_lost_after_sync_off
    return subject.state == "removed" and subject.is_cleared_for_inactivity


def is_purged_on_time(fold, subject):
    if subject.is_backup:
        return subject.state == "removed" and (subject.ended.is_users() or subject.cause == "window_lapsed")
    if subject.state != "purged":
        return False
    if not subject.is_lapsed:
        return subject.ended.is_users()
    limit = fold.zone.after(subject.deadline, fold.policy.rules(subject.deadline).purge_lag)
    return limit is None or subject.since <= limit


def lawful(fold, subject):
    if subject.state not in ("expired", "purged", "removed"):
        return "none"
    key, breaches = "backup" if subject.is_backup else "item", [f for f in fold.findings if f["severity"] == "breach"]
    for event in (subject.left, subject.ended):
        for breach in breaches if event else ():
            is_of_account = event.kind == "data_cleared" and "item" not in breach and "backup" not in breach
            if breach["revision"] == event.revision and (breach.get(key) == subject.name or is_of_account):
                return "no"
    return "yes"


def subjects_of(fold, claim):
    if not fold.events:
        return []
    items, backups = fold.now.items, fold.now.backups
    if "item" in claim:
        return [items[claim["item"]]] if claim["item"] in items else []
    if "backup" in claim:
        return [backups[claim["backup"]]] if claim["backup"] in backups else []
    if "category" in claim:
        return [item for item in items.values() if item.category == claim["category"]]
    return [*items.values(), *(() if claim["asserts"] in NEVER_OF_A_BACKUP else backups.values())]


def named(row, key):
    """What has no name comes before any."""
    return key in row, row.get(key, "").encode()


def evidence(claim, subjects, is_true):
    rows = []
    for subject, is_held in zip(subjects, is_true):
        events = {event.position: event for event in (subject.began, subject.left, subject.ended) if event}
        if "item" in claim or "backup" in claim:
            rows += [{"hash": event.hash, "position": event.position, "revision": event.revision}
                     for event in events.values()]
        elif not is_held:
            event = events[max(events)]
            about = {"backup" if subject.is_backup else "item": subject.name}
            rows.append({**about, "hash": event.hash, "position": event.position, "revision": event.revision})
    return sorted(rows, key=lambda row: (row["position"], named(row, "item"), named(row, "backup")))


def verdict_under(fold, claim):
    """A verdict under one reading, with all that it rests on."""
    subjects = subjects_of(fold, claim)
    if not subjects:
        return {"verdict": "undetermined", "lawful": "none", "state": None, "cause": None, "recoverable_until": None,
                "evidence": [], "is_on_record": False}

    def agreed(values):
        return values[0] if all(value == values[0] for value in values) else None

    is_true = [holds(fold, subject, claim["asserts"]) for subject in subjects]
    return {"verdict": "upheld" if all(is_true) else "refuted",
            "lawful": min((lawful(fold, subject) for subject in subjects), key=("no", "yes", "none").index),
            "state": agreed([subject.state for subject in subjects]),
            "cause": agreed([subject.cause for subject in subjects]),
            "recoverable_until": agreed([subject.recoverable_until() for subject in subjects]),
            "evidence": evidence(claim, subjects, is_true), "is_on_record": True}


def verdict(claim, fold_as):
    """The answer to a claim. `fold_as` folds under a reading."""
    readings = fold_as("default").policy.readings()
    under = {reading: verdict_under(fold_as(reading), claim) for reading in readings}
    default, policy, at = under["default"], fold_as("default").policy, fold_as("default").as_of
    clauses = policy.version(at).clauses_for(claim["asserts"], default["cause"]) if default["is_on_record"] else []
    verdicts = {reading: under[reading]["verdict"] for reading in readings}
    return {"account": claim["account"], "cause": default["cause"], "claim": claim["claim"], "clauses": clauses,
            "evidence": default["evidence"],
            "lawful": default["lawful"] if len({each["lawful"] for each in under.values()}) == 1 else "depends",
            "readings": verdicts, "recoverable_until": default["recoverable_until"], "state": default["state"],
            "verdict": default["verdict"] if len(set(verdicts.values())) == 1 else "undetermined"}
