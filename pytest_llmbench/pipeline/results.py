"""The way up: records -> the run folder, and the run folder -> results. Needs neither pytest nor a model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from pytest_llmbench.errors import StoreError
from pytest_llmbench.grading.aggregate import grade
from pytest_llmbench.grading.leaderboard import rank_models
from pytest_llmbench.schema.attempt import CompletionRequest, ItemRecord, Outcome, OutcomeRecord
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import Results, RunHeader, RunInfo, TaskInfo
from pytest_llmbench.store.records import RecordLog
from pytest_llmbench.store.run_dir import RunDir

RESULTS = "results.json"


class Recorder:
    """Writes a run down as it goes. ``outcome`` and ``item`` may be called from different threads."""

    def __init__(self, run: RunDir, header: RunHeader) -> None:
        """Write the header; raises ``StoreError``."""
        self.run = run
        self.header = header
        self.plan = Plan()
        self.trouble: StoreError | None = None
        """Set once the run folder could not be written: what came after is in memory only."""
        self._outcomes = RecordLog(run.path / "attempts.jsonl", OutcomeRecord)
        self._items = RecordLog(run.path / "items.jsonl", ItemRecord)
        self._unsaved: list[ItemRecord] = []
        self._lock = threading.Lock()
        run.write("run.json", header.model_dump_json(indent=1))

    def planned(self, plan: Plan) -> None:
        """Keep the plan; raises ``StoreError``."""
        self.plan = plan
        self.run.write("plan.json", plan.model_dump_json())

    def outcome(self, key: AttemptKey, request: CompletionRequest, outcome: Outcome) -> None:
        """Keep a reply and how it came about; raises ``StoreError``."""
        stem = self.run.reply_stem(key)
        completion = outcome.completion
        if completion is not None and completion.files is None:
            self.run.write(f"{stem}.md", completion.text)
        content = {"request": request.model_dump(mode="json"), "outcome": outcome.model_dump(mode="json")}
        self.run.write(f"{stem}.json", json.dumps(content, indent=1, sort_keys=True))
        light = completion.model_copy(update={"text": "", "reasoning": "", "files": None}) if completion else None
        record = OutcomeRecord(
            task=key.task, model=key.model, epoch=key.epoch, outcome=outcome.model_copy(update={"completion": light})
        )
        with self._lock:
            self._outcomes.append(record)

    def recall(self, key: AttemptKey) -> Outcome | None:
        """Read an outcome back from the run folder, texts included."""
        path = self.run.path / f"{self.run.reply_stem(key)}.json"
        try:
            return Outcome.model_validate(json.loads(path.read_text(encoding="utf-8"))["outcome"])
        except (OSError, ValueError, KeyError, ValidationError):
            return None

    def item(self, record: ItemRecord) -> None:
        """Keep one verdict; never raises: when the disk is full it stays in memory and ``trouble`` tells."""
        with self._lock:
            try:
                self._items.append(record)
            except StoreError as error:
                self.trouble = self.trouble or error
                self._unsaved.append(record)

    def finish(self, run: RunInfo) -> Results:
        """Work out the results and write ``results.json``; a full disk is noted in ``trouble``."""
        try:
            outcomes = {record.key: record.outcome for record in self._outcomes.read()}
            records = [*self._items.read(), *self._unsaved]
        except StoreError as error:
            self.trouble = error
            outcomes, records = {}, self._unsaved
        results = make_results(RunHeader(run=run, models=self.header.models), self.plan, outcomes, records)
        try:
            self.run.write(RESULTS, to_json(results))
        except StoreError as error:
            self.trouble = self.trouble or error
        return results


def make_results(
    header: RunHeader, plan: Plan, outcomes: Mapping[AttemptKey, Outcome], records: Iterable[ItemRecord]
) -> Results:
    """Everything that ``results.json`` says, from what a run recorded. Pure."""
    graded = grade(plan, outcomes, records, stopped_by=header.run.stopped_by)
    leaderboard, incomplete = rank_models(graded, [model.name for model in header.models])
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
    )


def load_results(run: RunDir) -> Results:
    """Make the results of a stored run again, also of one that was killed. Raises ``StoreError``."""
    try:
        header = RunHeader.model_validate_json((run.path / "run.json").read_text(encoding="utf-8"))
        plan_file = run.path / "plan.json"
        plan = Plan.model_validate_json(plan_file.read_text(encoding="utf-8")) if plan_file.exists() else Plan()
        finished = run.path / RESULTS
        info = Results.model_validate_json(finished.read_text(encoding="utf-8")).run if finished.exists() else None
    except FileNotFoundError as error:
        raise StoreError(f"{run.path} is no run folder: {error.filename} is missing.") from error
    except (OSError, ValidationError) as error:
        raise StoreError(f"the run folder {run.path} cannot be read: {error}") from error
    if info is None:
        info = header.run.model_copy(update={"stopped_by": "the session was killed"})
    outcomes = {r.key: r.outcome for r in RecordLog(run.path / "attempts.jsonl", OutcomeRecord).read()}
    records = list(RecordLog(run.path / "items.jsonl", ItemRecord).read())
    return make_results(RunHeader(run=info, models=header.models), plan, outcomes, records)


def to_json(results: Results) -> str:
    """The text of ``results.json``."""
    return json.dumps(results.model_dump(mode="json"), indent=1, ensure_ascii=True) + "\n"
