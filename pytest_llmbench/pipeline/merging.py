"""Several parts of a run -> one run folder. Needs neither pytest nor a model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from glob import escape
from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.pipeline.results import (
    ITEMS,
    OUTCOMES,
    PLAN,
    RESULTS,
    Recorder,
    joined,
    load_results,
    make_results,
    read_header,
    to_json,
)
from pytest_llmbench.schema.attempt import ItemRecord, OutcomeRecord
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import ModelInfo, Results, RunHeader
from pytest_llmbench.store.records import RecordLog, read_record
from pytest_llmbench.store.run_dir import RunDir


def merge(parts: Sequence[RunDir], base: Path) -> tuple[RunDir, Results]:
    """Make a new run below ``base`` from parts; of what is in several, the last one counts.

    Raises ``StoreError`` when parts do not belong together: another task under one id, another model under one label,
    or another number of epochs.
    """
    headers = [read_header(part) for part in parts]
    header = _joined_header(parts, headers)
    plan = Plan()
    for number, part in enumerate(parts):
        own = read_record(part.path / PLAN, Plan) or Plan()
        plan = joined(plan, own) if number else own
    run = RunDir.create(base)
    merged = header.model_copy(update={"run": header.run.model_copy(update={"id": run.id})})
    recorder = Recorder(run, merged)
    recorder.planned(plan)
    for part in parts:
        _copy(part, run)
    infos = [load_results(part).run for part in parts]
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
    results = make_results(
        RunHeader(run=info, models=merged.models),
        plan,
        {record.key: record.outcome for record in RecordLog(run.path / OUTCOMES, OutcomeRecord).read()},
        RecordLog(run.path / ITEMS, ItemRecord).read(),
    )
    run.write(RESULTS, to_json(results))
    return run, results


def _joined_header(parts: Sequence[RunDir], headers: Sequence[RunHeader]) -> RunHeader:
    """The first part's header with the models of all."""
    first = headers[0]
    models: dict[str, ModelInfo] = {}
    prompts: dict[str, str] = {}
    for part, header in zip(parts, headers, strict=True):
        own = header.run.options.get("system_prompts", {})
        for model in header.models:
            known = models.setdefault(model.name, model)
            prompt = prompts.setdefault(model.name, own.get(model.name, ""))
            first_one = (known.resolved, known.endpoint, known.params, prompt)
            if first_one != (model.resolved, model.endpoint, model.params, own.get(model.name, "")):
                raise StoreError(
                    f"{part.path}: its model {model.name!r} is not that of the other parts: another name, endpoint, "
                    "parameters or system prompt. Rename one of them before running: --llm-model=LABEL=NAME."
                )
        for option in ("epochs", "selfcheck", "pass_at"):
            was, now = first.run.options.get(option), header.run.options.get(option)
            if was != now:
                raise StoreError(
                    f"{part.path} has {option}={now!r}, {parts[0].path} has {was!r}: they are no parts of one run."
                )
    options = first.run.options | {"models": [name for header in headers for name in header.run.options["models"]]}
    options["models"] = list(dict.fromkeys(options["models"]))
    options["system_prompts"] = {name: prompt for name, prompt in prompts.items() if prompt}
    return RunHeader(run=first.run.model_copy(update={"options": options}), models=list(models.values()))


def _copy(part: RunDir, run: RunDir) -> None:
    """Append a part's records, and copy the replies and files of its attempts."""
    outcomes, items = RecordLog(run.path / OUTCOMES, OutcomeRecord), RecordLog(run.path / ITEMS, ItemRecord)
    for outcome in RecordLog(part.path / OUTCOMES, OutcomeRecord).read():
        outcomes.append(outcome)
        if outcome.turn == 1:
            _forget(run, outcome.key)
    for item in RecordLog(part.path / ITEMS, ItemRecord).read():
        items.append(item)
    for folder in ("replies", "files"):
        if (part.path / folder).is_dir():
            shutil.copytree(part.path / folder, run.path / folder, dirs_exist_ok=True, symlinks=True)


def _forget(run: RunDir, key: AttemptKey) -> None:
    """Remove what an earlier part left of an attempt, later turns and further files too."""
    shutil.rmtree(run.files_dir(key), ignore_errors=True)
    stem = run.path / run.reply_stem(key)
    for path in [*stem.parent.glob(f"{escape(stem.name)}.turn*"), *stem.parent.glob(f"{escape(stem.name)}.[mj]*")]:
        path.unlink()
