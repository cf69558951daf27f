"""How ``llmbench regrade`` tells pytest which run to grade again: one text of JSON, which no option parser splits.

It holds what the user named. What the run itself says stays data: models become targets by their labels, and suites
are looked up by name among those that are known here.
"""

import json
from pathlib import Path

from pytest_llmbench.errors import LLMBenchError, OptionError
from pytest_llmbench.schema.builtin import BUILTINS, PREFIX
from pytest_llmbench.schema.settings import Gates, ModelSpec, Settings

FLAG = "--llm-replay"
DEST = "llm_replay"
_MOST_ATTEMPTS = 10_000
"""Of one task: models and epochs of the run."""


def order(run: Path, base: Path, run_id: str) -> str:
    """The option's value: grade the replies of ``run`` again into a new run of that id below ``base``."""
    return json.dumps({"run": str(run), "base": str(base), "id": run_id})


def applied(settings: Settings, text: str, *, paths: bool) -> Settings:
    """The settings that grade a run again; ``paths``: the user named what is to be collected.

    Raises ``OptionError`` for a run that cannot be read or that is of suites that nobody knows here.
    """
    from pytest_llmbench.plugin.options.task_paths import known_suites
    from pytest_llmbench.runs.results import read_header
    from pytest_llmbench.store.run_dir import RunDir

    given = json.loads(text)
    run = Path(given["run"])
    try:
        header = read_header(RunDir(run))
    except LLMBenchError as error:
        raise OptionError(str(error)) from error
    options = header.run.options
    labels = [model.name for model in header.models]
    if len(set(labels)) != len(labels) or not labels:
        raise OptionError(
            f"{run} has {'two models of one name' if labels else 'no models'}: it cannot be graded again."
        )
    if len(labels) * options.epochs > _MOST_ATTEMPTS:
        raise OptionError(
            f"{run} has {len(labels)} models and {options.epochs} epochs: more than {_MOST_ATTEMPTS} attempts at each "
            "task are too many to be graded again at once."
        )
    known = known_suites(settings)
    unknown = [suite for suite in options.suites if suite not in known]
    if unknown and not paths:
        raise OptionError(
            f"{run} is of the suite {unknown[0]!r}, which is not known here (known: {', '.join(sorted(known))}). "
            "Name its tasks after --, as in: llmbench regrade RUN -- path/to/tasks."
        )
    models = tuple(ModelSpec(model.name, _target(model.endpoint, model.resolved, run)) for model in header.models)
    return settings._replace(
        llm=settings.llm._replace(models=models, epochs=options.epochs),
        suites=tuple(suite for suite in options.suites if suite in known),
        run_base=Path(given["base"]),
        run_id=given["id"],
        gates=Gates(fail_under=0.0),
        resume=None,
        selfcheck=False,
        shard=None,
    )


def _target(endpoint: str, resolved: str, run: Path) -> str:
    builtin = PREFIX + resolved
    return builtin if endpoint == "builtin" and builtin in BUILTINS else f"run:{run}"
