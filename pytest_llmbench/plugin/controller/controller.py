"""The controller: the one process of a session that looks models up, sends requests, and records the run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pytest_llmbench import clock
from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.base_url import is_near
from pytest_llmbench.llm.clients.factory import real_clients
from pytest_llmbench.llm.credentials.environment import Secrets
from pytest_llmbench.llm.credentials.redact import Scrub
from pytest_llmbench.llm.discovery.model_names import ServedModel
from pytest_llmbench.llm.discovery.presets import without_slots
from pytest_llmbench.llm.discovery.resolve import describe, own_files, resolve
from pytest_llmbench.llm.generation.gateway import Gateway
from pytest_llmbench.llm.solving import Job
from pytest_llmbench.llm.targets import ModelTarget, OfflineTarget, ServedTarget
from pytest_llmbench.plugin.distributed.channel import ChannelServer, source_handlers
from pytest_llmbench.plugin.extensions import Extensions
from pytest_llmbench.runs.results import Recorder, read_header
from pytest_llmbench.sandbox.selection import SandboxChoice, choose
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.mutant import PREFIX as MUTANT
from pytest_llmbench.schema.plan import Plan, TaskCard
from pytest_llmbench.schema.registry import OURS
from pytest_llmbench.schema.results import ModelInfo, Results, RunHeader, RunInfo
from pytest_llmbench.schema.run_files import COMPLETIONS, RESULTS
from pytest_llmbench.schema.run_options import RunOptions
from pytest_llmbench.schema.settings import LLMSettings, Settings
from pytest_llmbench.solvers.recorded import StoredRun
from pytest_llmbench.solvers.registry import choose_solver, offline_names
from pytest_llmbench.store.completions import CompletionStore
from pytest_llmbench.store.inspection import checked
from pytest_llmbench.store.run_dir import RunDir

_LOOK_UP_S = 5.0
"""Longest wait for the count of stored replies before the first test."""
_PACKAGES = ("pytest-llmbench", "pytest", "pytest-xdist", "pytest-timeout", "litellm", "pydantic")


class Controller:
    """The process that plain pytest runs in, or xdist's controller."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        extensions: Extensions,
        *,
        lookahead: bool,
        on_planned: Callable[[Plan], None],
    ) -> None:
        """Look the models up, take the keys, test the sandbox, open the run folder; no request is sent yet.

        ``lookahead``: request little more than is graded, because the session may stop early. Raises ``OptionError``,
        ``SandboxError`` or ``StoreError``.
        """
        self.settings = settings
        completions = CompletionStore(settings.run_base / COMPLETIONS)
        self._extensions = extensions
        self.targets: list[ModelTarget] = resolve(
            settings.llm.models,
            settings.llm,
            Path.cwd(),
            secrets,
            _stored(settings.llm, completions),
            providers=[provider for _, provider in extensions.providers.values()],
            offline=offline_names(extensions.solvers),
        )
        served = [target for target in self.targets if isinstance(target, ServedTarget)]
        self.providers = sorted({target.provider for target in served if target.provider})
        self.key_variables = sorted({target.key_variable for target in served if target.key_variable})
        secrets.take(self.providers, more=self.key_variables)  # before the first child is started
        self.scrub = Scrub(secrets.values_taken)
        self._notes = [
            note for path in dict.fromkeys(_recorded_runs(self.targets)) for note in checked(RunDir(Path(path)))
        ]
        self.sandbox: SandboxChoice = choose(settings.sandbox, extensions.sandboxes)
        _refuse_unknown_prices(settings.llm, served)
        solver_of = choose_solver(extensions.solvers, settings.solver)
        self.recorder = self._recorder(settings.resume)
        self.run = self.recorder.run
        completions.run = self.run.id
        self._completions = completions
        self.gateway = Gateway(
            self.targets,
            settings.llm,
            completions,
            self.recorder.outcome,
            solver_of,
            freeze=self.recorder.freeze,
            lookahead=lookahead,
            client_factory=real_clients(settings.llm, extensions.providers, secrets),
            recall=self.recorder.recall,
            earlier=lambda key: self.recorder.earlier(key, retry_errors=settings.retry_errors),
            own_run=self.run.id if settings.resume else None,
            scrub=self.scrub.outcome,
        )
        self._on_planned = on_planned
        self._announced_plan: Plan | None = None
        self._announcing = threading.Lock()
        self._hearing = threading.Lock()
        self._heard = b""
        self._channel: ChannelServer | None = None

    def announce(self, plan: Plan, *, ask: bool = True) -> None:
        """Take the plan and, if ``ask``, start to generate; the same plan from another worker changes nothing."""
        with self._announcing:
            if plan == self._announced_plan:
                return
            self._announced_plan = plan
            self.recorder.planned(plan)
            if plan.attempts():
                self.run.point_latest(self.settings.run_base)
            if not ask:
                return
            cards = {card.id: card for card in plan.tasks}
            self.gateway.add_offline(own_files(mutant.label) for card in plan.tasks for mutant in card.mutants)
            known = self.gateway.announce(
                [_job(key, card) for key in plan.attempts() if not (card := cards[key.task]).unavailable]
            )
        known.wait(_LOOK_UP_S)
        self._on_planned(plan)

    def worker_input(self) -> dict[str, Any]:
        """What a worker needs, in simple types: the channel and where files go."""
        if self._channel is None:
            self._channel = ChannelServer({"announce": self._announced, **source_handlers(self.gateway)})
        return {
            "address": self._channel.address,
            "key": self._channel.key,
            "run": str(self.run.path),
            "sandbox": self.sandbox.sent(),
            "queues": self.queues,
            "providers": self.providers,
            "key_variables": self.key_variables,
        }

    @property
    def queues(self) -> dict[str, str]:
        """Model label -> the queue it waits in."""
        return {t.label: t.queue if isinstance(t, ServedTarget) else "" for t in self.targets}

    def count_local(self, plan: Plan) -> int:
        """Number of attempts without a request: their files are on this machine."""
        asked = {target.label for target in self.targets if isinstance(target, ServedTarget)}
        unavailable = {card.id for card in plan.tasks if card.unavailable}
        return sum(key.model not in asked and key.task not in unavailable for key in plan.attempts())

    def finish(self, *, stopped_by: str) -> Results:
        """End generation and write the results; ``stopped_by`` is empty if the session ran to its end."""
        self.close()
        started = self.recorder.header.run
        ended = started.model_copy(update={"ended": _now(), "finished": not stopped_by, "stopped_by": stopped_by})
        return self.recorder.finish(ended)

    def close(self) -> None:
        """Cancel requests in flight and close the workers' channel. May be called again."""
        self.gateway.close()
        if self._channel is not None:
            self._channel.close()

    def release(self) -> None:
        """End everything, and leave no folder of a run that came to no attempt. May be called again."""
        self.close()
        if not self.kept:
            self.run.discard()
        self.run.release()

    @property
    def kept(self) -> bool:
        """False for a new run without attempts."""
        return bool(self.recorder.plan.attempts() or self.settings.resume)

    @property
    def plan(self) -> Plan:
        """What this session grades; of a resumed run, without what only its earlier parts did."""
        return self._announced_plan or Plan()

    def header_lines(self) -> list[str]:
        """The lines of pytest's header: models, warnings, sandbox and run folder."""
        models = [f"llmbench: {describe(target)}" for target in self.targets]
        if self.settings.selfcheck:
            models.append(f"llmbench: {MUTANT}...: each task's mutants; everything {self.settings.llm.epochs} times")
        if self.settings.shard is not None:
            number, of = self.settings.shard
            models.append(f"llmbench: shard {number} of {of}: a part of the attempts; llmbench merge joins the runs")
        served = [target for target in self.targets if isinstance(target, ServedTarget)]
        passed_over = dict.fromkeys(each for target in served for each in target.passed_over)
        return [
            *models,
            *(f"llmbench: {line}" for line in self._extensions.lines()),
            *(f"llmbench: {note}" for note in self._notes),
            *(f"llmbench: skipped: {each}" for each in passed_over),
            *(f"llmbench: sandbox: skipped: {reason}" for reason in self.sandbox.passed_over),
            f"llmbench: sandbox: {self.sandbox.description}{_of_plugin(self.sandbox)} (self-test passed)",
            *(f"llmbench: sandbox: not enforced on this machine: {gap}" for gap in self.sandbox.missing_here),
            f"llmbench: run folder: {self._shown(self.run.path)}",
        ]

    @property
    def damaged(self) -> list[str]:
        """What is wrong with each stored reply that counted as missing: damaged, or from another configuration."""
        stored = self._completions
        return [*self.recorder.damaged.values(), *stored.damaged.values(), *stored.made_otherwise]

    @property
    def results_path(self) -> str:
        """The path of ``results.json``, relative to the rootdir if it is below it."""
        return self._shown(self.run.path / RESULTS)

    def _recorder(self, resume: str | None) -> Recorder:
        """The recorder of a new run or of a resumed one. Raises ``OptionError`` or ``StoreError``."""
        if resume is None:
            run = RunDir.create(self.settings.run_base, self.settings.run_id, latest=False)
            run.hold()
            return Recorder(run, self._header(run))
        run = RunDir.open(self.settings.run_base, resume)
        self._notes += checked(run)
        run.hold()
        former, now = read_header(run), self._header(run)
        differences = differences_between(former, now)
        if differences:
            raise OptionError(
                f"cannot resume {run.path}: results would not be comparable because these settings changed: "
                f"{'; '.join(differences)}. Restore them, or start a new run."
            )
        run.point_latest(self.settings.run_base)
        return Recorder(run, former, resumed=True)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self.settings.rootdir) if path.is_relative_to(self.settings.rootdir) else path)

    def _announced(self, text: str) -> None:
        """A worker's plan, as JSON; that of every other worker is the same."""
        digest = hashlib.sha256(text.encode()).digest()
        with self._hearing:
            if digest != self._heard:
                self.announce(Plan.model_validate(json.loads(text)))
                self._heard = digest

    def _header(self, of: RunDir) -> RunHeader:
        llm = self.settings.llm
        run = RunInfo(
            id=of.id,
            started=_now(),
            versions={
                **{name: importlib.metadata.version(name) for name in _PACKAGES},
                "python": sys.version.split()[0],
            },
            options=RunOptions(
                models=tuple(f"{m.label}={m.name}" if m.label != m.name else m.name for m in llm.models),
                epochs=llm.epochs,
                params=dict(llm.params),
                system_prompts={
                    t.label: t.system_prompt for t in self.targets if isinstance(t, ServedTarget) and t.system_prompt
                },
                solver=self.settings.solver,
                max_cost_usd=llm.max_cost_usd,
                max_tokens=llm.max_tokens,
                max_minutes=llm.max_minutes,
                concurrency=llm.concurrency,
                timeout_s=llm.timeout_s,
                cache=llm.cache,
                suites=(*self.settings.suites, *(suite.text for suite in self.settings.loaded)),
                pass_at=self.settings.pass_at,
                fail_under=self.settings.gates.fail_under,
                shard="/".join(map(str, self.settings.shard)) if self.settings.shard else None,
                selfcheck=self.settings.selfcheck,
            ),
            machine={"system": platform.system(), "machine": platform.machine(), "cpus": os.cpu_count()},
            sandbox={
                "name": self.sandbox.name,
                "description": self.sandbox.description,
                "guarantees": list(self.sandbox.guarantees),
                "gaps": list(self.sandbox.gaps),
                "passed_over": list(self.sandbox.passed_over),
            },
        )
        return RunHeader(run=run, models=[_model_info(target) for target in self.targets])


_SHAPES_FIGURES = ("epochs", "selfcheck", "solver")
"""Options of which a run has one value."""


def differences_between(former: RunHeader, now: RunHeader) -> list[str]:
    """Changes that prevent resuming a run: of models, their endpoints or parameters, of options, of the sandbox."""
    found = []
    before = {model.name: model for model in former.models}
    for model in now.models:
        known = before.get(model.name)
        if known is None:
            found.append(f"model {model.name!r} is not in that run (its models: {', '.join(before)})")
            continue
        for what in ("resolved", "endpoint", "params"):
            was, is_now = getattr(known, what), getattr(model, what)
            if was != is_now:
                found.append(f"{what} of {model.name!r} was {was!r}, is {is_now!r}")
        found += [
            f"{name} at the server of {model.name!r} was {was!r}, is {is_now!r}"
            for name, was, is_now in _told_otherwise(known, model)
        ]
        prompts = [header.run.options.system_prompts.get(model.name, "") for header in (former, now)]
        if prompts[0] != prompts[1]:
            found.append(f"system prompt of {model.name!r} was {prompts[0]!r}, is {prompts[1]!r}")
    for option in _SHAPES_FIGURES:
        was, is_now = getattr(former.run.options, option), getattr(now.run.options, option)
        if was != is_now:
            found.append(f"{option} was {was!r}, is {is_now!r}")
    was, is_now = former.run.sandbox.get("name"), now.run.sandbox.get("name")
    if was != is_now:
        found.append(f"sandbox was {was!r}, is {is_now!r} (restore it with --llm-sandbox={was})")
    return found


def _told_otherwise(former: ModelInfo, now: ModelInfo) -> list[tuple[str, Any, Any]]:
    """What a server tells of a model now and told otherwise before; what it told but once is not compared."""
    found = []
    for table in ("server", "preset"):
        before, after = (
            without_slots(told) if isinstance(told := model.metadata.get(table), dict) else {}
            for model in (former, now)
        )
        found += [(name, before[name], after[name]) for name in before if before[name] != after.get(name, before[name])]
    return found


def _stored(llm: LLMSettings, completions: CompletionStore) -> list[ServedModel]:
    """Models with stored replies, where nothing else counts: looking a name up needs no server then."""
    if llm.cache != "only":
        return []
    pairs = completions.models()
    return [ServedModel(model, completions.aliases(model, endpoint), endpoint) for model, endpoint in pairs]


def _recorded_runs(targets: Iterable[ModelTarget]) -> list[str]:
    return [t.name for t in targets if isinstance(t, OfflineTarget) and t.solver == StoredRun.name]


def _model_info(target: ModelTarget) -> ModelInfo:
    info = ModelInfo(name=target.label, resolved=target.name, endpoint=target.endpoint)
    if isinstance(target, OfflineTarget):
        return info
    return info.model_copy(update={"params": dict(target.params), "metadata": dict(target.metadata)})


def _job(key: AttemptKey, card: TaskCard) -> Job:
    return Job(
        key=key,
        messages=card.messages,
        files=card.files,
        leave_out=card.leave_out,
        data=Path(card.data) if card.data else None,
        prompt=card.prompt,
        starter=card.starter,
        turns=card.turns,
    )


def _refuse_unknown_prices(llm: LLMSettings, targets: Sequence[ServedTarget]) -> None:
    """A limit in USD holds only where every price is known; a server in a private network counts as free."""
    if llm.max_cost_usd is None:
        return
    for target in targets:
        free = target.base_url is not None and is_near(target.base_url)
        if target.price is None and not free:
            raise OptionError(
                f"--llm-max-cost cannot be enforced: the price of {target.label} is unknown. Set it in the models "
                "file, or limit tokens with --llm-max-tokens-total."
            )


def _of_plugin(choice: SandboxChoice) -> str:
    return "" if choice.plugin == OURS else f" (plugin {choice.plugin})"


def _now() -> str:
    return clock.now().isoformat(timespec="seconds")
