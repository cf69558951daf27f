"""Slips in the ranks of the Rust port."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_llmbench.published.slips import Check, Discrepancy, Tables, once

_TABLE = "rust-port/ranks"
_LETTERS = ("S", "A", "A-", "B+", "B", "C", "C-", "F")
_MOST_ITERATIONS = 5


def _ranks(tables: Tables) -> Iterator[Discrepancy]:
    file, rows = f"{_TABLE}.csv", tables.get(_TABLE, ())
    yield from once(file, rows)
    for row in rows:
        if row["rank"] not in _LETTERS:
            yield Discrepancy(file, row["model"], "rank", row["rank"], " ".join(_LETTERS), "no letter of the scale")
        done = row["iterations"]
        if done and not (done.isdigit() and 1 <= int(done) <= _MOST_ITERATIONS):
            yield Discrepancy(file, row["model"], "iterations", done, f"1 to {_MOST_ITERATIONS}", "the loop ends there")


def _spellings(tables: Tables) -> Iterator[Discrepancy]:
    """One provider, two spellings: whoever groups by it gets two groups."""
    spelt: dict[str, str] = {}
    for row in tables.get(_TABLE, ()):
        first = spelt.setdefault(row["provider"].lower(), row["provider"])
        if row["provider"] != first:
            yield Discrepancy(
                f"{_TABLE}.csv", row["model"], "provider", row["provider"], first, "spelt so in another row"
            )


CHECKS: tuple[Check, ...] = (_ranks, _spellings)
