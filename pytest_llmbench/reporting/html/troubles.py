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
    causes: dict[tuple[str, str, str, str], list[AttemptResult]] = {}
    for attempt in results.attempts:
        if attempt.status != "scored":
            kind, message = (attempt.error.kind, attempt.error.message) if attempt.error else ("-", attempt.reason)
            causes.setdefault((attempt.status, kind, message, attempt.model), []).append(attempt)
    return [
        Trouble(
            status.replace("_", " "),
            kind.replace("_", " "),
            message,
            model,
            [(attempt_link(each), f"{each.task} #{each.epoch}") for each in attempts],
        )
        for (status, kind, message, model), attempts in sorted(causes.items())
    ]
