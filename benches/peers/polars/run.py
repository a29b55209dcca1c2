"""Polars: every account's line by expressions, the events in memory before the clock starts."""

import os
import sys

import polars as pl

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from accounts import account_lines
from peer import Clock, main

FILE = "polars.parquet"
COLUMNS = {
    "account": pl.String,
    "occurred_at": pl.String,
    "kind": pl.String,
    "actor": pl.String,
    "tier": pl.String,
    "item": pl.String,
    "backup": pl.String,
    "bytes": pl.Int64,
    "delete_backups": pl.Boolean,
}


def prepare():
    """The columns that the query reads."""
    with Clock() as clock:
        lines = pl.read_ndjson("events.ndjson", schema=COLUMNS)
        time = pl.col("occurred_at").str.to_datetime(time_unit="ms", time_zone="UTC")
        lines.with_columns(time.cast(pl.Int64)).with_row_index("place").write_parquet(FILE)
    return clock.seconds


def accounts(out):
    events = pl.read_parquet(FILE)
    with Clock() as clock:
        account_lines(events.lazy()).collect().write_ndjson(out)
    return clock.seconds


main({"prepare": prepare, "accounts": accounts}, pl.__version__)
