"""Replay of a stored run's attempts (``run:RUN``): the recorded outcome counts, so an error stays an error."""

from __future__ import annotations

from pytest_llmbench.errors import StoreError
from pytest_llmbench.runs.results import Exchange, read_exchange
from pytest_llmbench.schema.attempt import Completion, Failure, Outcome
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.store.run_dir import RunDir

_MOST_TURNS = 100


def recorded(run: RunDir, key: AttemptKey) -> Outcome:
    """The recorded outcome of an attempt's last turn. Never raises: a damaged or missing reply is a failure."""
    try:
        last = _last_turn(run, key)
    except StoreError as error:
        return Outcome(failure=Failure(kind="grader", message=str(error), cause=str(error)))
    if last is None:
        message = f"{run.path} has no reply for {key}: {run.reply_stem(key)}.json is missing."
        return Outcome(failure=Failure(kind="missing_reply", message=message, cause=message))
    completion, failure = last.outcome.completion, last.outcome.failure
    return Outcome(
        # Without its times: nothing is asked now, so there is no later turn to ask for either.
        completion=completion
        and Completion(
            text=completion.text,
            reasoning=completion.reasoning,
            files=completion.files,
            finish_reason=completion.finish_reason,
        ),
        failure=failure and failure.model_copy(update={"stops_model": False}),
        not_run=last.outcome.not_run,
    )


def _last_turn(run: RunDir, key: AttemptKey) -> Exchange | None:
    last = None
    for turn in range(1, _MOST_TURNS + 1):
        found = read_exchange(run, key._replace(turn=turn))
        if found is None:
            break
        last = found
    return last
