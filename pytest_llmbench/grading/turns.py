"""The one outcome of an attempt, joined from the outcomes of its turns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pytest_llmbench.schema.attempt import Outcome, Usage
from pytest_llmbench.schema.keys import AttemptKey


def by_attempt(outcomes: Mapping[AttemptKey, Outcome]) -> dict[AttemptKey, list[Outcome]]:
    """Attempt -> its turns in order."""
    turns: dict[AttemptKey, list[Outcome]] = {}
    for key in sorted(outcomes):
        turns.setdefault(key._replace(turn=1), []).append(outcomes[key])
    return turns


def joined(turns: Sequence[Outcome]) -> Outcome | None:
    """The last turn, with the time, tokens and retries of all; None without any."""
    if len(turns) < 2:  # noqa: PLR2004 - nothing to join
        return turns[0] if turns else None
    last = turns[-1]
    completions = [turn.completion for turn in turns if turn.completion is not None]
    completion = last.completion
    if completion is not None:
        completion = completion.model_copy(
            update={
                "wall_s": _sum(each.wall_s for each in completions),
                "usage": Usage(
                    **{name: _sum(getattr(each.usage, name) for each in completions) for name in Usage.model_fields}
                ),
            }
        )
    return last.model_copy(
        update={
            "completion": completion,
            "retries": tuple(retry for turn in turns for retry in turn.retries),
            "load_s": next((turn.load_s for turn in turns if turn.load_s is not None), None),
            "queue_s": _sum(turn.queue_s for turn in turns),
            "cached": all(turn.cached for turn in turns),
            "cost_usd": _sum(turn.cost_usd for turn in turns),
        }
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """None where any part is unknown: a sum without it would look like the whole."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
