"""What DuckDB and Polars read in the tables that `export` wrote, as JSON on standard output."""

import json

import duckdb
import polars as pl

SUMS = ["live", "trashed", "expired", "purged", "removed", "live_bytes", "used_bytes"]


def whole(instant):
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z").replace(".000Z", "Z")


def by_duckdb():
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")

    def one(sql):
        return con.execute(sql).fetchone()

    accounts, *sums = one(f"SELECT count(*), {', '.join(f'sum({name})' for name in SUMS)} FROM 'accounts.parquet'")
    findings, positions, breaches, without = one(
        "SELECT count(*), sum(position), count(*) FILTER (severity = 'breach'), count(*) FILTER (item IS NULL)"
        " FROM 'findings.parquet'"
    )
    events, event_bytes = one("SELECT count(*), sum(bytes) FROM 'events.parquet'")
    kinds = one("SELECT typeof(min(occurred_at)), typeof(min(bytes)) FROM 'events.parquet'")
    assert kinds == ("TIMESTAMP WITH TIME ZONE", "BIGINT"), kinds
    (first,) = one("SELECT strftime(min(occurred_at) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%g') FROM 'events.parquet'")
    states = con.execute(
        "SELECT state, count(*) FROM 'states.parquet' WHERE subject = 'item' GROUP BY 1"
    ).fetchall()
    return answer(accounts, sums, findings, positions, breaches, without, events, event_bytes, states,
                  (first + "Z").replace(".000Z", "Z"))


def by_polars():
    accounts = pl.read_parquet("accounts.parquet")
    findings = pl.read_parquet("findings.parquet")
    events = pl.read_parquet("events.parquet")
    states = pl.read_parquet("states.parquet")
    assert events.schema["occurred_at"] == pl.Datetime("ms", "UTC"), events.schema
    assert events.schema["attributes"] == pl.String, events.schema
    items = states.filter(pl.col("subject") == "item").group_by("state").len().rows()
    return answer(
        accounts.height,
        [accounts[name].sum() for name in SUMS],
        findings.height,
        findings["position"].sum(),
        findings.filter(pl.col("severity") == "breach").height,
        findings["item"].null_count(),
        events.height,
        events["bytes"].sum(),
        items,
        whole(events["occurred_at"].min()),
    )


def answer(accounts, sums, findings, positions, breaches, without, events, event_bytes, states, first):
    return {
        "accounts": accounts,
        "sums": dict(zip(SUMS, map(int, sums))),
        "findings": findings,
        "positions": int(positions),
        "breaches": breaches,
        "without_item": without,
        "events": events,
        "event_bytes": int(event_bytes),
        "by_state": dict(states),
        "first": first,
    }


print(json.dumps({"duckdb": by_duckdb(), "polars": by_polars()}))
