"""SQLite: event lines into an indexed table, every account's line by SQL, one account's rows, and durable
appends."""

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
from datetime import datetime

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from peer import Clock, main, remove, sql

FILE = "sqlite.db"
COLUMNS = (
    "id account occurred_at recorded_at kind actor surface tier category item backup bytes cause "
    "delete_backups hold reason parts attributes"
).split()
INSERT = "INSERT INTO events ({}) VALUES ({})".format(
    ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
)


def connect(file=FILE):
    """As durable as a log: what is committed is on the disk."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -1048576")
    return db


def anew(file=FILE):
    remove(file, file + "-wal", file + "-shm")
    db = connect(file)
    db.executescript(sql(__file__, "schema.sql"))
    return db


def rows(lines):
    def ms(text):
        return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)

    for line in lines:
        event = json.loads(line)
        for time in ("occurred_at", "recorded_at"):
            if time in event:
                event[time] = ms(event[time])
        for nested in ("parts", "attributes"):
            if nested in event:
                event[nested] = json.dumps(event[nested])
        yield [event.get(column) for column in COLUMNS]


def import_lines():
    """One transaction, closed, so that all of it is in the file."""
    with Clock() as clock:
        db = anew()
        db.execute("BEGIN")
        with open("events.ndjson", encoding="utf-8") as lines:
            db.executemany(INSERT, rows(lines))
        db.execute("COMMIT")
        db.close()
    return {"seconds": clock.seconds, "bytes": os.path.getsize(FILE)}


def prepare():
    """What the steps below read."""
    if not os.path.exists(FILE):
        return import_lines()
    return {"seconds": 0, "bytes": os.path.getsize(FILE)}


def accounts(out):
    *first, last = sql(__file__, "accounts.sql").strip().rstrip(";").split(";\n")
    with Clock() as clock:
        db = connect()
        db.execute("PRAGMA temp_store = MEMORY")
        for statement in first:
            db.execute(statement)
        cursor = db.execute(last)
        names = [column[0] for column in cursor.description]
        with open(out, "w", encoding="utf-8") as file:
            for row in cursor:
                file.write(json.dumps(dict(zip(names, row))) + "\n")
        db.close()
    return clock.seconds


def state(out, *accounts):
    """One account's rows, printed by the program `sqlite3`, a process each; without it by Python's
    module, from opening the file on. The median of the accounts."""
    shell, query = shutil.which("sqlite3"), sql(__file__, "account.sql")
    seconds = []
    for account in accounts:
        with open(out, "w", encoding="utf-8") as file, Clock() as clock:
            if shell:
                quoted = "'" + account.replace("'", "''") + "'"
                subprocess.run([shell, FILE, query.replace("?", quoted)], stdout=file, check=True)
            else:
                db = sqlite3.connect(FILE)
                for row in db.execute(query, (account,)):
                    print(*row, sep="|", file=file)
                db.close()
        seconds.append(clock.seconds)
    # Python's memory would say nothing of the program's.
    return {"seconds": statistics.median(seconds), "peak_bytes": None}


def warm_state(*accounts):
    """One account's rows as Python's module gives them, the file open and warm."""
    query = sql(__file__, "account.sql")
    db = sqlite3.connect(FILE)
    seconds = []
    for timed in (False, True):
        for account in accounts:
            with Clock() as clock:
                db.execute(query, (account,)).fetchall()
            if timed:
                seconds.append(clock.seconds)
    return statistics.median(seconds)


def append(batch, batches, _bytes):
    """So many transactions of so many events each; their rows are made before the clock starts."""
    batch, batches, file = int(batch), int(batches), "append.db"
    with open("events.ndjson", encoding="utf-8") as lines:
        made = list(rows(line for _, line in zip(range(batch * batches), lines)))
    db = anew(file)
    with Clock() as clock:
        for n in range(batches):
            db.execute("BEGIN")
            db.executemany(INSERT, made[n * batch : (n + 1) * batch])
            db.execute("COMMIT")
    db.close()
    remove(file, file + "-wal", file + "-shm")
    return clock.seconds


main(
    {
        "import": import_lines,
        "prepare": prepare,
        "accounts": accounts,
        "state": state,
        "state-warm": warm_state,
        "append": append,
    },
    sqlite3.sqlite_version,
)
