"""Recording a run in its folder, and making results from it. Needs neither pytest nor a model."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from pytest_llmbench.errors import StoreError
from pytest_llmbench.grading.aggregate import grade
from pytest_llmbench.grading.leaderboard import rank_models
from pytest_llmbench.grading.reducers import reduce_epochs
from pytest_llmbench.grading.selfcheck import check
from pytest_llmbench.llm.solving import Files, Job
from pytest_llmbench.schema.attempt import CompletionRequest, Failure, ItemRecord
from pytest_llmbench.schema.keys import TurnKey
from pytest_llmbench.schema.outcome import (
    Exchange,
    Failed,
    HandedInFiles,
    NotRun,
    Outcome,
    OutcomeRecord,
    completion_of,
    failure_of,
)
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import Results, RunHeader, RunInfo, TaskInfo
from pytest_llmbench.schema.run_files import EXCHANGE, HEADER, ITEMS, OUTCOMES, PLAN, REJECTED, REPLY, RESULTS
from pytest_llmbench.schema.tree import Tree
from pytest_llmbench.store.exchanges import read_exchange
from pytest_llmbench.store.records import Record, RecordLog, read_record
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.trees import freeze


class Recorder:
    """Records a run while it runs. ``outcome`` and ``item`` may be called from different threads."""

    def __init__(self, run: RunDir, header: RunHeader, *, resumed: bool = False) -> None:
        """Write the header; ``resumed``: header and records exist already. Raises ``StoreError``."""
        self.run = run
        self.header = header
        self.plan = Plan()
        self._former = read_record(run.path / PLAN, Plan) if resumed else None
        self.trouble: StoreError | None = None
        """Set once the run folder could not be written: later records are in memory only."""
        self.damaged: dict[str, str] = {}
        """File -> what is wrong with it, of every stored reply that counted as none."""
        self._outcomes = RecordLog(run.path / OUTCOMES, OutcomeRecord)
        self._items = RecordLog(run.path / ITEMS, ItemRecord)
        self._unsaved_outcomes: dict[TurnKey, Outcome] = {}
        self._unsaved_items: list[ItemRecord] = []
        self._lock = threading.Lock()
        self._done = {record.key for record in self._outcomes.read()} if resumed else set()
        if resumed:
            run.remove(RESULTS)  # of the part before: a kill must not leave it as the whole
        else:
            run.write(HEADER, json_pieces(header))

    def planned(self, plan: Plan) -> None:
        """Store the plan; raises ``StoreError``. A resumed run keeps its earlier plan too."""
        self.plan = plan if self._former is None else joined(self._former, plan)
        self.run.write(PLAN, json_pieces(self.plan))

    def earlier(self, key: TurnKey, *, retry_errors: bool) -> Outcome | None:
        """A turn's outcome from before the run was resumed; None: request it.

        A turn that was not run is always requested; one that ended as an error only with ``retry_errors``.
        """
        if key not in self._done:
            return None
        outcome = self.recall(key)
        if outcome is None or isinstance(outcome, NotRun) or (retry_errors and failure_of(outcome) is not None):
            return None
        return outcome

    def outcome(self, key: TurnKey, request: CompletionRequest | None, outcome: Outcome) -> None:
        """Store how a turn ended, with its request if there was one.

        Raises ``StoreError`` if it cannot be written; the attempt is then a grader error. Raises ``ValueError`` for an
        outcome that cannot be represented in JSON: nothing of it was stored, and another may take its place.
        """
        try:
            self._keep(key, request, outcome)
        except StoreError as error:
            with self._lock:
                self.trouble = self.trouble or error
                self._unsaved_outcomes[key] = Failed(failure=Failure(kind="grader", message=str(error)))
            raise

    def _keep(self, key: TurnKey, request: CompletionRequest | None, outcome: Outcome) -> None:
        stem = self.run.reply_stem(key)
        completion = completion_of(outcome)
        content = Exchange(request=request, outcome=outcome).model_dump(mode="json")
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
        if completion is not None:
            self.run.write(f"{stem}{REPLY if failure_of(outcome) is None else REJECTED}", completion.text)
        self.run.write(f"{stem}{EXCHANGE}", text)
        record = OutcomeRecord(**key._asdict(), outcome=_light(outcome))
        with self._lock:
            self._outcomes.append(record)

    def freeze(self, job: Job, files: Files) -> Tree:
        """Keep files that were handed in. Raises ``HarnessError`` and ``StoreError``."""
        return freeze(
            self.run,
            job.key,
            files.files,
            names=job.files,
            leave_out=job.leave_out,
            executable=files.executable,
        )

    def recall(self, key: TurnKey) -> Outcome | None:
        """Read an outcome from the run folder, texts included; a damaged one counts as missing, and is noted."""
        try:
            exchange = read_exchange(self.run, key)
        except StoreError as error:
            self.damaged[self.run.reply_stem(key)] = str(error)
            return None
        return exchange.outcome if exchange is not None else None

    def item(self, record: ItemRecord) -> None:
        """Store one verdict; never raises: if the disk is full it stays in memory and ``trouble`` is set."""
        with self._lock:
            try:
                self._items.append(record)
            except StoreError as error:
                self.trouble = self.trouble or error
                self._unsaved_items.append(record)

    def finish(self, run: RunInfo) -> Results:
        """Compute the results and write ``results.json``; a full disk is noted in ``trouble``."""
        outcomes = {record.key: record.outcome for record in self._readable(self._outcomes)} | self._unsaved_outcomes
        records = [*self._readable(self._items), *self._unsaved_items]
        results = make_results(RunHeader(run=run, models=self.header.models), self.plan, outcomes, records)
        try:
            self.run.write(RESULTS, json_pieces(results))
        except StoreError as error:
            self.trouble = self.trouble or error
        return results

    def _readable(self, log: RecordLog[Record]) -> Iterator[Record]:
        """What can be read of a log; damage is noted in ``trouble``."""
        try:
            yield from log.read()
        except StoreError as error:
            self.trouble = self.trouble or error


def joined(former: Plan, plan: Plan) -> Plan:
    """The plan of a resumed run: its former plan and what is new. Pure.

    Raises ``StoreError`` for a task that has changed since: its results would not be comparable.
    """
    before = {card.id: card for card in former.tasks}
    for card in plan.tasks:
        if card.id in before and before[card.id].fingerprint != card.fingerprint:
            raise StoreError(
                f"task {card.id!r} has changed since this run began (prompt, grader or data). Start a new run."
            )
    cards = before | {card.id: card for card in plan.tasks}
    return plan.model_copy(
        update={
            "tasks": tuple(cards.values()),
            "items": former.items | plan.items,
            "collected_tasks": max(former.collected_tasks, plan.collected_tasks),
        }
    )


def read_header(run: RunDir) -> RunHeader:
    """The header of a run, ``run.json``. Raises ``StoreError`` if there is none."""
    header = read_record(run.path / HEADER, RunHeader)
    if header is None:
        raise StoreError(
            f"{run.path} is not a run folder: {run.path / HEADER} is missing. Name a folder in .llmbench/runs."
        )
    return header


def _light(outcome: Outcome) -> Outcome:
    """Without its texts and its manifest, which have a file of their own."""
    if isinstance(outcome, HandedInFiles):
        return outcome.model_copy(update={"tree": Tree(files=())})
    completion = completion_of(outcome)
    if completion is None:
        return outcome
    return outcome.model_copy(update={"completion": completion.model_copy(update={"text": "", "reasoning": ""})})


def make_results(
    header: RunHeader, plan: Plan, outcomes: Mapping[TurnKey, Outcome], records: Iterable[ItemRecord]
) -> Results:
    """The contents of ``results.json``, from what a run recorded. Pure."""
    graded = grade(plan, outcomes, records, stopped_by=header.run.stopped_by)
    labels = [model.name for model in header.models]
    pass_at = header.run.options.pass_at
    leaderboard, incomplete = rank_models(graded, labels)
    return Results(
        run=header.run.model_copy(update={"selection": graded.asked.selection}),
        models=header.models,
        tasks=[
            TaskInfo(
                id=card.id,
                suite=card.suite,
                max_points=card.points,
                criteria=[criterion.model_dump(mode="json") for criterion in card.criteria],
                fingerprint=card.fingerprint,
                unavailable=card.unavailable,
            )
            for card in plan.tasks
        ],
        attempts=graded.attempts,
        leaderboard=leaderboard,
        incomplete=incomplete,
        reduced=[] if plan.selfcheck else reduce_epochs(plan, graded, labels, pass_at=pass_at),
        selfcheck=check(plan, graded) if plan.selfcheck else None,
    )


def load_results(run: RunDir) -> Results:
    """Make the results of a stored run again, even of one that was killed. Raises ``StoreError``."""
    header = read_header(run)
    plan = read_record(run.path / PLAN, Plan) or Plan()
    finished = read_record(run.path / RESULTS, Results)
    if finished is not None:
        info = finished.run
    else:
        info = header.run.model_copy(update={"stopped_by": "the session was killed, or is still running"})
    return stored_results(run, RunHeader(run=info, models=header.models), plan)


def stored_results(run: RunDir, header: RunHeader, plan: Plan) -> Results:
    """The results of the records in a run folder. Raises ``StoreError`` for some that are damaged or contradictory."""
    outcomes = {r.key: r.outcome for r in RecordLog(run.path / OUTCOMES, OutcomeRecord).read()}
    records = list(RecordLog(run.path / ITEMS, ItemRecord).read())
    try:
        return make_results(header, plan, outcomes, records)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Each is a record by itself, but they were not written together: a task without its points, an odd number.
        raise StoreError(
            f"the records in {run.path} contradict each other ({type(error).__name__}: {error}). Restore the folder."
        ) from error


def to_json(record: BaseModel) -> str:
    """The text of ``results.json`` and of its kind as a whole."""
    return "".join(json_pieces(record))


def json_pieces(record: BaseModel) -> Iterator[str]:
    r"""The text of ``results.json`` and of its kind, piece by piece, for that of a large run is large.

    ASCII, any other character as an escape. In ``results.json``, which others read, lone surrogates are spelt out: a
    server's text may hold them, and most readers of JSON refuse ``"\ud83d"``. Raises ``ValueError`` for NaN and the
    infinities, which JSON does not have: records hold none (``schema/numbers.py``).
    """
    for piece in json.JSONEncoder(indent=1, ensure_ascii=True, allow_nan=False, default=_fields).iterencode(record):
        spell = isinstance(record, Results) and r"\ud" in piece
        yield _LONE_SURROGATE.sub(lambda found: rf"\{found[1]}" if found[1] else found[0], piece) if spell else piece
    yield "\n"


_LONE_SURROGATE = re.compile(r"\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(\\ud[89a-f][0-9a-f]{2})")
"""In JSON; passes over escaped backslashes, and over pairs."""


def _fields(value: Any) -> Any:
    """One level of a record, or anything else that JSON has no form for."""
    return dict(value) if isinstance(value, BaseModel) else to_jsonable_python(value)
