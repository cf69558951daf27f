"""Merging parts of a run into one run folder. Needs neither pytest nor a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_llmbench.attempts.submission import keep_files
from pytest_llmbench.errors import StoreError
from pytest_llmbench.runs.report_data import graded_files
from pytest_llmbench.runs.results import (
    Recorder,
    joined,
    load_results,
    read_header,
    stored_results,
    to_json,
)
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.outcome import HandedInFiles, OutcomeRecord
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import ModelInfo, Results, RunHeader
from pytest_llmbench.schema.run_files import EXCHANGE, ITEMS, OUTCOMES, PLAN, REJECTED, REPLY, RESULTS
from pytest_llmbench.store.completions import MOST_BYTES as MOST_REPLY_BYTES
from pytest_llmbench.store.exchanges import read_exchange
from pytest_llmbench.store.records import RecordLog, read_record
from pytest_llmbench.store.run_dir import RunDir
from pytest_llmbench.store.trees import StoredTree, freeze


def merge(parts: Sequence[RunDir], base: Path, say: Callable[[str], None]) -> tuple[RunDir, Results]:
    """Make a new run below ``base`` from parts; where several have an attempt, the last one counts.

    Only files that records refer to are copied, one by one, and only regular files. ``say`` is called for every reply
    that could not be copied; its attempt keeps its verdict. Raises ``StoreError`` if parts do not belong together:
    different tasks with one id, different models with one label, or different numbers of epochs.
    """
    headers = [read_header(part) for part in parts]
    header = _joined_header(parts, headers)
    plan = Plan()
    for number, part in enumerate(parts):
        own = read_record(part.path / PLAN, Plan) or Plan()
        plan = joined(plan, own) if number else own
    infos = [load_results(part).run for part in parts]  # damaged parts are reported before anything is made
    run = RunDir.create(base)
    merged = header.model_copy(update={"run": header.run.model_copy(update={"id": run.id})})
    recorder = Recorder(run, merged)
    recorder.planned(plan)
    _take_over(parts, plan, run, say)
    stops = [info.stopped_by for info in infos if info.stopped_by]
    ends = [info.ended for info in infos if info.ended]
    info = merged.run.model_copy(
        update={
            "started": min(info.started for info in infos),
            "ended": max(ends) if len(ends) == len(infos) else None,
            "finished": not stops,
            "stopped_by": "; ".join(dict.fromkeys(stops)),
        }
    )
    results = stored_results(run, RunHeader(run=info, models=merged.models), plan)
    run.write(RESULTS, to_json(results))
    return run, results


def _joined_header(parts: Sequence[RunDir], headers: Sequence[RunHeader]) -> RunHeader:
    """The first part's header with the models of all."""
    first = headers[0]
    models: dict[str, ModelInfo] = {}
    prompts: dict[str, str] = {}
    for part, header in zip(parts, headers, strict=True):
        own = header.run.options.system_prompts
        for model in header.models:
            known = models.setdefault(model.name, model)
            prompt = prompts.setdefault(model.name, own.get(model.name, ""))
            first_one = (known.resolved, known.endpoint, known.params, prompt)
            if first_one != (model.resolved, model.endpoint, model.params, own.get(model.name, "")):
                raise StoreError(
                    f"cannot merge {part.path}: its model {model.name!r} differs from that of the other parts in name, "
                    "endpoint, parameters or system prompt. Rename one of them before running: --llm-model=LABEL=NAME."
                )
        for option in ("epochs", "selfcheck", "pass_at"):
            was, now = getattr(first.run.options, option), getattr(header.run.options, option)
            if was != now:
                raise StoreError(
                    f"cannot merge {part.path}: it has {option}={now!r}, {parts[0].path} has {was!r}. "
                    "Merge only parts of one run."
                )
    chosen = dict.fromkeys(name for header in headers for name in header.run.options.models)
    kept = {name: prompt for name, prompt in prompts.items() if prompt}
    options = first.run.options.model_copy(update={"models": tuple(chosen), "system_prompts": kept})
    return RunHeader(run=first.run.model_copy(update={"options": options}), models=list(models.values()))


def _take_over(parts: Sequence[RunDir], plan: Plan, run: RunDir, say: Callable[[str], None]) -> None:
    """Append the records of all parts, and copy of each attempt what the last part has that asked for it."""
    outcomes, items = RecordLog(run.path / OUTCOMES, OutcomeRecord), RecordLog(run.path / ITEMS, ItemRecord)
    turns: dict[AttemptKey, tuple[RunDir, list[TurnKey]]] = {}
    for part in parts:
        for outcome in RecordLog(part.path / OUTCOMES, OutcomeRecord).read():
            outcomes.append(outcome)
            whole = outcome.attempt
            if outcome.turn == 1 or turns.get(whole, (None,))[0] is not part:
                turns[whole] = part, []
            turns[whole][1].append(outcome.key)
        for item in RecordLog(part.path / ITEMS, ItemRecord).read():
            items.append(item)
    names = {card.id: card.files for card in plan.tasks}
    for whole, (part, keys) in turns.items():
        try:
            trees = [_copy_turn(part, run, key) for key in keys]
            if not any(trees):
                _copy_files(part, run, whole, names.get(whole.task, ()))
        except StoreError as error:
            say(f"{whole}: not copied: {error}")


def _copy_turn(part: RunDir, run: RunDir, key: TurnKey) -> bool:
    """Copy the record of one turn; True: with the tree of files that it is of, each as its manifest has it."""
    exchange = read_exchange(part, key)
    if exchange is None:
        return False
    tree = exchange.outcome.tree if isinstance(exchange.outcome, HandedInFiles) else None
    if tree is not None:
        freeze(run, key.attempt, StoredTree(part, key.attempt, tree))
    for ending in (EXCHANGE, REPLY, REJECTED):
        name = f"{part.reply_stem(key)}{ending}"
        data = part.read(name, most_bytes=MOST_REPLY_BYTES)
        if data is not None:
            run.copy(name, data)
    return tree is not None


def _copy_files(part: RunDir, run: RunDir, key: AttemptKey, names: Sequence[str]) -> None:
    """Those of the files that the task asks for."""
    found = graded_files(part, key)
    if found is not None:
        files = {name: found[name] for name in names if name in found}
        keep_files(run, key, files)
