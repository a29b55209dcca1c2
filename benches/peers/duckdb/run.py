"""DuckDB: event lines into a table, and every account's line by SQL."""

import os
import sys

import duckdb

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from peer import Clock, main, remove, sql

FILE = "duckdb.db"
PARQUET = "events.parquet"


def import_by(file, *queries):
    """Into a table file, closed, so that all of it is in the file."""
    remove(file, file + ".wal")
    with Clock() as clock:
        with duckdb.connect(file) as db:
            for query in queries:
                db.execute(sql(__file__, query))
    return {"seconds": clock.seconds, "bytes": os.path.getsize(file)}


def import_lines():
    return import_by(FILE, "import.sql")


def import_unique():
    return import_by("duckdb-unique.db", "import.sql", "import-unique.sql")


def prepare():
    """What the steps below read."""
    if not os.path.exists(FILE):
        import_lines()
    return parquet(PARQUET)


def parquet(file):
    remove(file)
    with Clock() as clock:
        with duckdb.connect(FILE, read_only=True) as db:
            db.execute(f"COPY events TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
    return {"seconds": clock.seconds, "bytes": os.path.getsize(file)}


def lines(db, source, place, out):
    query = sql(__file__, "accounts.sql", source=source, place=place)
    with Clock() as clock:
        db.execute(f"COPY ({query}) TO '{out}' (FORMAT json)")
    return clock.seconds


def in_memory(out):
    """The table is in memory before the clock starts."""
    with duckdb.connect() as db:
        db.execute(f"ATTACH '{FILE}' AS file (READ_ONLY)")
        db.execute("CREATE TABLE events AS SELECT * FROM file.events")
        return lines(db, "events", "rowid", out)


def over_parquet(out):
    with duckdb.connect() as db:
        source = f"read_parquet('{PARQUET}', file_row_number = true)"
        return lines(db, source, "file_row_number", out)


main(
    {
        "import": import_lines,
        "import-unique": import_unique,
        "prepare": prepare,
        "accounts": in_memory,
        "accounts-parquet": over_parquet,
        "export-parquet": lambda: parquet("theirs.parquet"),
    },
    duckdb.__version__,
)
