"""Slips in the tables of the six tasks that compare two variants of a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pytest_llmbench.published.six_boards import Listed, boards
from pytest_llmbench.published.slips import Check, Discrepancy, Stated, Tables, number, plain, rounded, stated

_BOARD_DIFFERS = "the board has another figure"
_DISTILL = re.compile(r"-[a-z]+-distill")


def _delta(first: Stated, second: Stated) -> str:
    """A difference as it is written: ``+17``, ``-4+`` with a lower bound first."""
    gap = first.figure - second.figure
    sign = "+" if gap > 0 else ""
    if second.bound:
        return "unknown" if first.bound else f"at most {sign}{plain(gap)}"
    return f"{sign}{plain(gap)}{'+' if first.bound else ''}"


def _thinking(tables: Tables) -> Iterator[Discrepancy]:
    file, board = "six-tasks/thinking.csv", boards(tables)
    for row in tables.get("six-tasks/thinking", ()):
        base = row["base_model"]
        sides = {"think": board.get(base) or board.get(f"{base}-think"), "nothink": board.get(f"{base}-nonthink")}
        for side, listed in sides.items():
            if listed is not None:
                wall = f"{side}_wall_s"
                yield from _score(file, base, f"{side}_score", row[f"{side}_score"], listed)
                if row[wall] != listed.wall:
                    yield Discrepancy(file, base, wall, row[wall], listed.wall, _BOARD_DIFFERS)
            else:
                yield Discrepancy(
                    file, base, f"{side}_score", row[f"{side}_score"], "on no board", "nothing to compare with"
                )
        first, second = stated(row["think_score"]), stated(row["nothink_score"])
        if first and second and row["delta"] != (found := _delta(first, second)):
            yield Discrepancy(file, base, "delta", row["delta"], found, "think_score less nothink_score")


def _score(file: str, name: str, column: str, text: str, listed: Listed) -> Iterator[Discrepancy]:
    score = stated(text)
    if score is None or score.figure != listed.score or score.bound == listed.complete:
        yield Discrepancy(file, name, column, text, listed.written, _BOARD_DIFFERS)


def _distill(tables: Tables) -> Iterator[Discrepancy]:
    file, board = "six-tasks/distill.csv", boards(tables)
    for row in tables.get("six-tasks/distill", ()):
        base = row["base_model"]
        first, second = stated(row["base_score"]), stated(row["distill_score"])
        if base in board:
            yield from _score(file, base, "base_score", row["base_score"], board[base])
        if first and second and row["gap"] != (found := _delta(second, first)):
            yield Discrepancy(file, base, "gap", row["gap"], found, "distill_score less base_score")
        if second:
            yield from _distilled(file, base, row["distill_score"], board)


def _distilled(file: str, base: str, text: str, board: Mapping[str, Listed]) -> Iterator[Discrepancy]:
    """Which model the row means, and whether it is the base's match."""
    of_base = {m: each for m in board if (each := _DISTILL.search(m)) and base.startswith(m[: each.start()] + "-")}
    match = next((m for m in of_base if _DISTILL.sub("", m) == base), None)
    meant = match or next((m for m in of_base if board[m].written == text), None)
    if meant is None:
        yield Discrepancy(
            file, base, "distill_score", text, "no such model", "no distillation of this base has this score"
        )
        return
    yield from _score(file, base, "distill_score", text, board[meant])
    if match is None:
        counterpart = _DISTILL.sub("", meant)
        why = f"{meant} is compared with {base}, another quantisation or mode than its own"
        yield Discrepancy(file, base, "base_model", base, counterpart, why)
    tasks = board[meant].sum
    if tasks is not None and tasks != board[meant].score:
        gap = plain(tasks - board[base].score) if base in board else "unknown"
        why = f"the tasks of {meant} sum to {plain(tasks)}: the gap would be {gap}"
        yield Discrepancy(file, base, "distill_score", text, plain(tasks), why)


def _quantisation(tables: Tables) -> Iterator[Discrepancy]:
    file, board = "six-tasks/quantization.csv", boards(tables)
    for row in tables.get("six-tasks/quantization", ()):
        family = row["family"]
        sizes = []
        for side in ("a", "b"):
            quant, _, size = row[f"quant_{side}"].removesuffix(" GB)").partition(" (")
            sizes.append(number(size))
            model = _variant(family, quant, board)
            if model is None:
                yield Discrepancy(
                    file, family, f"quant_{side}", row[f"quant_{side}"], "on no board", "nothing to compare with"
                )
                continue
            yield from _score(file, family, f"score_{side}", row[f"score_{side}"], board[model])
            exact = number(board[model].size)
            if exact is not None and rounded(exact) != size:
                yield Discrepancy(file, family, f"quant_{side}", f"{size} GB", f"{rounded(exact)} GB", _BOARD_DIFFERS)
        first, second = stated(row["score_a"]), stated(row["score_b"])
        if first and second and None not in sizes and not (first.bound or second.bound):
            found = "Same"
            if first.figure != second.figure:
                smaller = (first.figure > second.figure) == ((sizes[0] or 0) < (sizes[1] or 0))
                found = "Smaller" if smaller else "Larger"
            if row["better"] != found:
                yield Discrepancy(file, family, "better", row["better"], found, "the one with the higher score")


def _variant(family: str, quant: str, board: Mapping[str, Listed]) -> str | None:
    """The model of a family in a quantisation: its name, or the only one that has all parts of it in their order."""
    name, flag, _ = family.partition(" (nonthink)")
    end = f"-{quant.lower().replace('_', '')}{'-nonthink' if flag else ''}"
    if f"{name}{end}" in board:
        return f"{name}{end}"
    parts = re.compile(".*".join(rf"\b{re.escape(part)}\b" for part in name.split("-")))
    found = [m for m in board if m.endswith(end) and parts.match(m) and not _DISTILL.search(m)]
    return found[0] if len(found) == 1 else None


CHECKS: tuple[Check, ...] = (_thinking, _distill, _quantisation)
