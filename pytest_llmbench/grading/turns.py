"""The one outcome of an attempt, joined from the outcomes of its turns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_llmbench.schema.attempt import Completion, Usage
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import Failed, Outcome, Replied, completion_of


def by_attempt(outcomes: Mapping[TurnKey, Outcome]) -> dict[AttemptKey, list[Outcome]]:
    """Attempt -> its turns in order."""
    turns: dict[AttemptKey, list[Outcome]] = {}
    for key in sorted(outcomes):
        turns.setdefault(key.attempt, []).append(outcomes[key])
    return turns


def joined(turns: Sequence[Outcome]) -> Outcome | None:
    """The last turn, with the time, tokens and retries of all; None without any."""
    last = turns[-1] if turns else None
    if len(turns) < 2 or not isinstance(last, Replied | Failed):  # noqa: PLR2004 - nothing to join
        return last
    asked = [turn for turn in turns if isinstance(turn, Replied | Failed)]
    completions = [reply for turn in turns if (reply := completion_of(turn)) is not None]
    joint: dict[str, object] = {
        "completion": last.completion and _with_sums(last.completion, completions),
        "retries": tuple(retry for turn in asked for retry in turn.retries),
        "load_s": next((turn.load_s for turn in asked if turn.load_s is not None), None),
        "queue_s": _sum(turn.queue_s for turn in asked),
        "cost_usd": _sum(turn.cost_usd for turn in asked),
    }
    if isinstance(last, Replied):
        joint["cached"] = all(isinstance(turn, Replied) and turn.cached for turn in turns)
    return last.model_copy(update=joint)


def _with_sums(last: Completion, all_of_them: Sequence[Completion]) -> Completion:
    usages = [each.usage for each in all_of_them]
    sums = {name: _sum(getattr(usage, name) for usage in usages) for name in Usage.model_fields}
    return last.model_copy(update={"wall_s": _sum(each.wall_s for each in all_of_them), "usage": Usage(**sums)})


def _sum(values: Iterable[float | None]) -> float | None:
    """None where any part is unknown: a sum without it would look like the whole."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
