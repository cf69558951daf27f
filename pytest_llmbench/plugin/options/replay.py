"""The hidden option ``--llm-replay``, by which ``llmbench regrade`` passes pytest the run to re-grade, as JSON.

JSON, because no option parser splits it. It holds only what the user named. What the run itself says stays data:
models become targets by their labels, and suites are looked up by name among those that are known here.
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
    """The option's value: re-grade the replies of ``run`` into a new run of that id below ``base``."""
    return json.dumps({"run": str(run), "base": str(base), "id": run_id})


def applied(settings: Settings, text: str, *, paths: bool) -> Settings:
    """The settings that re-grade a run; ``paths``: the user named what is to be collected.

    Raises ``OptionError`` for a run that cannot be read or that uses suites that are unknown here.
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
            f"cannot re-grade {run}: it has {'two models with the same name' if labels else 'no models'}. "
            "Choose another run."
        )
    if len(labels) * options.epochs > _MOST_ATTEMPTS:
        raise OptionError(
            f"cannot re-grade {run}: it has {len(labels)} models and {options.epochs} epochs, more than the limit of "
            f"{_MOST_ATTEMPTS} attempts at each task. Choose another run."
        )
    known = known_suites(settings)
    named = {suite.loader for suite in settings.loaded}
    # A path is taken from the user alone, not from the run.
    unknown = [suite for suite in options.suites if suite not in known and suite.partition(":")[0] not in named]
    if unknown and not paths:
        if ":" in unknown[0]:
            raise OptionError(
                f"{run} uses the suite {unknown[0]!r}, which a loader read. "
                "Name it after --, as in: llmbench regrade RUN -- --llm-suite=NAME:PATH."
            )
        raise OptionError(
            f"{run} uses the suite {unknown[0]!r}, which was not found here (known: {', '.join(sorted(known))}). "
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
