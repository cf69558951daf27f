"""Attempts without a full figure, by cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pytest_llmbench.reporting.html.heat import attempt_link
from pytest_llmbench.schema.results import AttemptResult, Results


class Trouble(NamedTuple):
    """One cause at one model."""

    status: str
    kind: str
    message: str
    model: str
    attempts: Sequence[tuple[str, str]]
    """Link and name of each."""


def troubles(results: Results) -> list[Trouble]:
    """Errors first, then what is incomplete or was not run; equal causes of a model together."""
    causes: dict[tuple[str, tuple[str, str], str], list[AttemptResult]] = {}
    for attempt in results.attempts:
        if attempt.status != "scored":
            cause = attempt.error.told_by if attempt.error else ("-", attempt.reason)
            causes.setdefault((attempt.status, cause, attempt.model), []).append(attempt)
    return [
        Trouble(
            status.replace("_", " "),
            kind.replace("_", " "),
            attempts[0].error.message if attempts[0].error else attempts[0].reason,
            model,
            [(attempt_link(each), f"{each.task} #{each.epoch}") for each in attempts],
        )
        for (status, (kind, _), model), attempts in sorted(causes.items())
    ]
