"""What is told of an attempt's rubric points. Pure."""

from __future__ import annotations

from pytest_llmbench.schema.results import AttemptResult


def messages_once(attempt: AttemptResult) -> dict[str, str]:
    """The message of each rubric point; empty where it repeats the attempt's error, or that no code was handed in."""
    told = {attempt.error.message} if attempt.error is not None else set()
    messages = {}
    for criterion in attempt.criteria:
        for_all = criterion.outcome == "not_reached" or "no_code" in attempt.labels
        messages[criterion.id] = "" if for_all and criterion.message in told else criterion.message
        told.add(criterion.message)
    return messages
