"""Slips in the ranks of the Rust port."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_llmbench.published.slips import Check, Slip, Tables, once

_TABLE = "rust-port/ranks"
_LETTERS = ("S", "A", "A-", "B+", "B", "C", "C-", "F")
_MOST_ITERATIONS = 5


def _ranks(tables: Tables) -> Iterator[Slip]:
    file, rows = f"{_TABLE}.csv", tables.get(_TABLE, ())
    yield from once(file, rows)
    for row in rows:
        if row["rank"] not in _LETTERS:
            yield Slip(file, row["model"], "rank", row["rank"], " ".join(_LETTERS), "no letter of the scale")
        done = row["iterations"]
        if done and not (done.isdigit() and 1 <= int(done) <= _MOST_ITERATIONS):
            yield Slip(file, row["model"], "iterations", done, f"1 to {_MOST_ITERATIONS}", "the loop ends there")


def _spellings(tables: Tables) -> Iterator[Slip]:
    """One provider, two spellings: whoever groups by it gets two groups."""
    spelt: dict[str, str] = {}
    for row in tables.get(_TABLE, ()):
        first = spelt.setdefault(row["provider"].lower(), row["provider"])
        if row["provider"] != first:
            yield Slip(f"{_TABLE}.csv", row["model"], "provider", row["provider"], first, "spelt so in another row")


CHECKS: tuple[Check, ...] = (_ranks, _spellings)
