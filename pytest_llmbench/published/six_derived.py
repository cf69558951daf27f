"""Slips in the tables of the six tasks that count or divide: efficiency, agents, bugs, approaches, bands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import pstdev

from pytest_llmbench.published.six_boards import TASKS, boards
from pytest_llmbench.published.slips import Check, Discrepancy, Row, Tables, number, places, plain, rounded, stated

_BUGS = "six-tasks/bug_detection"
_ENUM = "six-tasks/value_enum"
_WORDS = ("excellent", "good")
_DIFFICULTIES = ("Easy", "Medium", "Hard")


def against_board(file: str, row: Row, tables: Tables) -> Iterator[Discrepancy]:
    """Score, time and size of a row must be those of the boards."""
    listed = boards(tables).get(row["model"])
    if listed is None:
        yield Discrepancy(file, row["model"], "model", row["model"], "on no board", "nothing to compare it with")
        return
    for column, found in (("score", listed.written), ("avg_wall_s", listed.wall), ("wall_s", listed.wall)):
        if row.get(column, found) != found:
            yield Discrepancy(file, row["model"], column, row[column], found, "the board has another figure")
    if number(row["size_gb"]) != number(listed.size):
        yield Discrepancy(file, row["model"], "size_gb", row["size_gb"], listed.size, "the board has another figure")


def _efficiency(tables: Tables) -> Iterator[Discrepancy]:
    file = "six-tasks/efficiency.csv"
    for row in tables.get("six-tasks/efficiency", ()):
        yield from against_board(file, row, tables)
        score = number(row["score"])
        for column, unit, cost in (("score_per_min", 60, "avg_wall_s"), ("score_per_gb", 1, "size_gb")):
            divisor = number(row[cost])
            if not score or not divisor or number(row[column]) is None:
                continue
            digits = places(row[column])
            found = rounded(score * unit / divisor, digits)
            if found != row[column]:
                half = Fraction(1, 2 * 10 ** places(row[cost]))
                ends = [
                    rounded(score * unit / (divisor + half), digits),
                    rounded(score * unit / (divisor - half), digits),
                ]
                why = f"from the published {cost}, whose rounding allows {ends[0]} to {ends[1]}"
                yield Discrepancy(file, row["model"], column, row[column], found, why)


def _agents(tables: Tables) -> Iterator[Discrepancy]:
    file = "six-tasks/agentic_pick.csv"
    deviations: dict[str, list[tuple[float, str]]] = {word: [] for word in _WORDS}
    scores = {row["model"]: row for row in tables.get("six-tasks/leaderboard", ())}
    for row in tables.get("six-tasks/agentic_pick", ()):
        yield from against_board(file, row, tables)
        listed = boards(tables).get(row["model"])
        if listed and row["reliable"] != listed.completed:
            yield Discrepancy(file, row["model"], "reliable", row["reliable"], listed.completed, "tasks completed")
        points = [number(scores[row["model"]][task]) for task in TASKS] if row["model"] in scores else []
        known = [float(each) for each in points if each is not None]
        if known and row["consistent"] in deviations:
            deviations[row["consistent"]].append((pstdev(known), row["model"]))
    best, second = (deviations[word] for word in _WORDS)
    for deviation, model in second:
        if best and deviation < max(best)[0]:
            why = f"its tasks differ less than those of {max(best)[1]}, which is called {_WORDS[0]}"
            yield Discrepancy(file, model, "consistent", _WORDS[1], _WORDS[0], why)


def certain(tables: Tables, task: str) -> int:
    """The least number of models that completed a task, by the boards and the errors that are told."""
    told = [
        score for row in tables.get("six-tasks/thinking", ()) if (score := stated(row["think_score"])) and score.errors
    ]
    others = sum(1 for score in told if task not in score.errors and len(score.errors) == 1)
    return len(tables.get("six-tasks/leaderboard", ())) + others


def _bugs(tables: Tables) -> Iterator[Discrepancy]:
    rows, file = tables.get(_BUGS, ()), f"{_BUGS}.csv"
    shares: list[tuple[Fraction, int, str]] = []
    for row in rows:
        fixed, of = number(row["fixed"]), number(row["of"])
        if fixed is None or not of or fixed > of or row["difficulty"] not in _DIFFICULTIES:
            yield Discrepancy(
                file, row["bug"], "fixed", row["fixed"], f"0 to {row['of']}", "no count with a difficulty"
            )
            continue
        shares.append((fixed / of, _DIFFICULTIES.index(row["difficulty"]), row["bug"]))
    for share, level, bug in shares:
        if any(other < share and easier < level for other, easier, _ in shares):
            why = "a bug that fewer fixed is called easier"
            yield Discrepancy(file, bug, "difficulty", _DIFFICULTIES[level], "easier", why)
    for task in dict.fromkeys(row["task"] for row in rows):
        counts = list(dict.fromkeys(row["of"] for row in rows if row["task"] == task))
        if len(counts) > 1:
            yield Discrepancy(
                file, task, "of", ", ".join(counts), "one figure", "as many completed the task for every bug"
            )
        yield from _completed(file, task, "of", counts[0], tables)


def _completed(file: str, task: str, field: str, count: str, tables: Tables) -> Iterator[Discrepancy]:
    """A count of the models that completed a task, against the boards."""
    least, most = certain(tables, task), len(boards(tables))
    figure = number(count)
    if most and figure is not None and not least <= figure <= most:
        why = f"models that completed {task}, by the boards and the errors told of"
        yield Discrepancy(file, task, field, count, f"{least} to {most}", why)


def _approaches(tables: Tables) -> Iterator[Discrepancy]:
    rows = tables.get("six-tasks/go_rate_limiter_approaches", ())
    if rows:
        total = sum((number(row["models"]) or Fraction() for row in rows), Fraction())
        yield from _completed("six-tasks/go_rate_limiter_approaches.csv", "go", "models", plain(total), tables)


def _enum(tables: Tables) -> Iterator[Discrepancy]:
    """Who got the ``ValueEnum`` right is told twice."""
    rows, file = tables.get(_ENUM, ()), f"{_ENUM}.csv"
    parts = [(row["caught"], *row["count"].partition("/")[::2]) for row in rows]
    if not parts or not all(count.isdigit() and of.isdigit() for _, count, of in parts):
        return
    total = sum(int(count) for _, count, _ in parts)
    for name, count, of in parts:
        if int(of) != total:
            yield Discrepancy(file, name, "count", f"{count}/{of}", f"{count}/{total}", "all answers together")
    if (listed := len(boards(tables))) and listed != total:
        yield Discrepancy(file, "all", "count", str(total), str(listed), "models on both boards")
    yield from _enum_against_bugs(file, parts, tables.get(_BUGS, ()))


def _enum_against_bugs(file: str, parts: Sequence[tuple[str, str, str]], bugs: Sequence[Row]) -> Iterator[Discrepancy]:
    verdicts = str(sum(int(count) for name, count, _ in parts if name != "Error"))
    caught = next((count for name, count, _ in parts if name.startswith("Yes")), None)
    for row in bugs:
        if "ValueEnum" in row["bug"] and caught is not None:
            if caught != row["fixed"]:
                yield Discrepancy(file, "Yes", "count", caught, row["fixed"], "bug_detection.csv has another count")
            if verdicts != row["of"]:
                yield Discrepancy(
                    file, "Yes and No", "count", verdicts, row["of"], "bug_detection.csv has another count"
                )


def _bands(tables: Tables) -> Iterator[Discrepancy]:
    file = "six-tasks/score_bands.csv"
    texts = [row["range"] for row in tables.get("six-tasks/score_bands", ())]
    ranges = [[int(end) for end in re.findall(r"\d+", text)] for text in texts]
    for text, ends in zip(texts, ranges, strict=True):
        if len(ends) != 2 or ends[0] > ends[1]:  # noqa: PLR2004 - a range has two ends
            yield Discrepancy(file, text, "range", text, "two ends, the lower first", "no range")
            return
    for (_, high), (low, _), text in ((a, b, text) for (a, b), text in zip(pairwise(ranges), texts[1:], strict=True)):
        if low != high + 1:
            yield Discrepancy(file, text, "range", text, f"from {high + 1}", "a gap or an overlap with the band before")
    if ranges and ranges[0][0] != 0:
        yield Discrepancy(file, texts[0], "range", texts[0], "from 0", "a score of 0 is in no band")
    if ranges and ranges[-1][1] != 20:  # noqa: PLR2004 - the most that a task gives
        yield Discrepancy(file, texts[-1], "range", texts[-1], "to 20", "a full score is in no band")


CHECKS: tuple[Check, ...] = (_efficiency, _agents, _bugs, _approaches, _enum, _bands)
