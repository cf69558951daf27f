"""Slips in the tables of the Rails application."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pytest_llmbench.published.slips import Check, Discrepancy, Tables, number, once, plain, same_ranks

_BOARD = "rails/leaderboard"
_WHOLE = 100


def _ranks(tables: Tables) -> Iterator[Discrepancy]:
    yield from same_ranks(f"{_BOARD}.csv", tables.get(_BOARD, ()), "score")
    yield from once(f"{_BOARD}.csv", tables.get(_BOARD, ()))


def _tiers(tables: Tables) -> Iterator[Discrepancy]:
    minimums = [
        (minimum, row["tier"])
        for row in tables.get("rails/tiers", ())
        if (minimum := number(row["min_score"])) is not None
    ]
    if not minimums:
        return
    if minimums != sorted(minimums, reverse=True) or minimums[-1][0] != 0:
        shown = ", ".join(f"{tier} {plain(minimum)}" for minimum, tier in minimums)
        yield Discrepancy(
            "rails/tiers.csv", "all", "min_score", shown, "falling, to 0", "tiers leave a gap or are not sorted"
        )
    for row in tables.get(_BOARD, ()):
        score = number(row["score"])
        if score is None or not 0 <= score <= _WHOLE:
            yield Discrepancy(f"{_BOARD}.csv", row["model"], "score", row["score"], f"0 to {_WHOLE}", "not a score")
            continue
        reached = [(minimum, tier) for minimum, tier in minimums if minimum <= score]
        found = max(reached)[1] if reached else "none"
        if row["tier"] != found:
            yield Discrepancy(f"{_BOARD}.csv", row["model"], "tier", row["tier"], found, f"a score of {row['score']}")


def _weights(tables: Tables) -> Iterator[Discrepancy]:
    rows = tables.get("rails/dimensions", ())
    total = sum((number(row["weight_pct"]) or Fraction() for row in rows), Fraction())
    if rows and total != _WHOLE:
        yield Discrepancy(
            "rails/dimensions.csv", "all", "weight_pct", plain(total), str(_WHOLE), "weights are of the whole"
        )


def _text(tables: Tables) -> Iterator[Discrepancy]:
    scores = {row["model"]: row["score"] for row in tables.get(_BOARD, ())}
    for row in tables.get("rails/text", ()):
        found = scores.get(row["model"], "no such model")
        if row["score"] != found:
            why = "the report's text and its table differ; the table is the later one"
            yield Discrepancy("rails/text.csv", row["model"], "score", row["score"], found, why)


CHECKS: tuple[Check, ...] = (_ranks, _tiers, _weights, _text)
