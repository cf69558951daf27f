"""Replay of a stored run's attempts (``run:RUN``): the recorded outcome counts, so an error stays an error."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.llm.solving import Files, Job, ModelAccess, Solution
from pytest_llmbench.schema.attempt import Completion, Failure
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import Exchange, Failed, HandedInFiles, HandedInReply, NotRun
from pytest_llmbench.store.exchanges import read_exchange
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.trees import StoredTree

_MOST_TURNS = 100


class StoredRun:
    """Hands in what a stored run has."""

    name = "run"
    needs_model = False

    async def solve(self, job: Job, access: ModelAccess) -> Solution:
        """Read it."""
        return await asyncio.to_thread(recorded, RunDir(Path(access.target.name)), job.key)


def recorded(run: RunDir, key: AttemptKey) -> Solution:
    """The recorded end of an attempt's last turn. Never raises: a damaged or missing reply is a failure."""
    try:
        last = _last_turn(run, key)
    except StoreError as error:
        return Failed(failure=Failure(kind="grader", message=str(error), cause=str(error)))
    if last is None:
        message = f"{run.path} has no reply for {key}: {run.reply_stem(key.turn(1))}.json is missing."
        return Failed(failure=Failure(kind="missing_reply", message=message, cause=message))
    outcome = last.outcome
    if isinstance(outcome, HandedInFiles):
        # Files of their own now: whatever asking took was not taken today.
        programs = {file.name for file in outcome.tree.files if file.executable}
        return Files(StoredTree(run, key, outcome.tree), executable=programs, labels=outcome.labels)
    if isinstance(outcome, NotRun):
        return outcome
    kept = outcome.completion and Completion(
        text=outcome.completion.text,
        reasoning=outcome.completion.reasoning,
        finish_reason=outcome.completion.finish_reason,
    )
    if isinstance(outcome, Failed):
        return Failed(completion=kept, failure=outcome.failure.model_copy(update={"stops_model": False}))
    assert kept is not None
    return HandedInReply(completion=kept)


def _last_turn(run: RunDir, key: AttemptKey) -> Exchange | None:
    last = None
    for turn in range(1, _MOST_TURNS + 1):
        found = read_exchange(run, key.turn(turn))
        if found is None:
            break
        last = found
    return last
