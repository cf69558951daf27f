"""What a chosen model switches on: imported, and paid for, only then."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.credentials.environment import Secrets
from pytest_llmbench.plugin.collect.plan import (
    keep_attempts_together,
    make_plan,
    order_for_generation,
    refuse_marked,
    split_shard,
)
from pytest_llmbench.plugin.collect.tasks import Collection
from pytest_llmbench.plugin.distributed.worker import WORKER_INPUT, WorkerLink, WorkerShutdown
from pytest_llmbench.plugin.extensions import extensions_of
from pytest_llmbench.plugin.options.incompatible import refuse_incompatible
from pytest_llmbench.plugin.runtest.cpu_budget import Budget
from pytest_llmbench.plugin.runtest.grader import GRADER, Grader
from pytest_llmbench.sandbox.selection import SandboxChoice
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.settings import Settings
from pytest_llmbench.store.run_dir import RunDir

if TYPE_CHECKING:
    from pytest_llmbench.plugin.controller.controller import Controller


def activate(config: pytest.Config, settings: Settings, collection: Collection) -> None:
    """Register what this process needs: a worker its grader, the first process the reporter and, alone, a grader too.

    Raises ``OptionError``, ``SandboxError`` or ``StoreError``.
    """
    secrets = Secrets()
    config.add_cleanup(secrets.restore)
    worker: Mapping[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        given = worker[WORKER_INPUT]
        # A worker inherits none, but a conftest may have read a file.
        secrets.take(given["providers"], more=given["key_variables"], asks=False)
        link = WorkerLink(given, WorkerShutdown().now)
        sandbox = SandboxChoice.received(given["sandbox"], extensions_of(config).sandboxes)
        grader = Grader(collection, link, RunDir(Path(given["run"])), sandbox)
        _register_grader(config, grader, _Planner(settings, collection, given["queues"], link), Budget(collection))
        return
    from pytest_llmbench.plugin.controller.controller import Controller
    from pytest_llmbench.plugin.controller.reporter import Reporter
    from pytest_llmbench.runs.load import read_results

    refuse_incompatible(config)
    baseline = read_results(settings.gates.baseline) if settings.gates.baseline is not None else None
    reporter = Reporter(config, baseline)
    lookahead = bool(config.getoption("maxfail", 0))
    controller = Controller(
        settings, secrets, extensions_of(config), lookahead=lookahead, on_planned=reporter.on_planned
    )
    quiet = contextlib.ExitStack()
    quiet.enter_context(controller.scrub.logs())
    config.add_cleanup(quiet.close)
    reporter.attach(controller)
    config.pluginmanager.register(reporter, "llmbench-reporter")
    if config.getoption("tx", None) and config.getoption("dist", "no") != "no":
        config.pluginmanager.register(_Workers(controller), "llmbench-workers")
    else:
        grader = Grader(collection, controller.gateway, controller.run, controller.sandbox)
        planner = _Planner(settings, collection, controller.queues, controller)
        _register_grader(config, grader, planner, Budget(collection))


def _register_grader(config: pytest.Config, grader: Grader, planner: _Planner, budget: Budget) -> None:
    config.stash[GRADER] = grader
    config.pluginmanager.register(grader, "llmbench-grader")
    config.pluginmanager.register(planner, "llmbench-planner")
    config.pluginmanager.register(budget, "llmbench-budget")


class _Planner:
    """Orders the collected items and announces the plan."""

    def __init__(
        self, settings: Settings, collection: Collection, queues: Mapping[str, str], announcer: Controller | WorkerLink
    ) -> None:
        self._settings = settings
        self._collection = collection
        self._queues = queues
        self._announcer = announcer

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """Around every other plugin's reordering (``--ff``, random order): an attempt's points stay together."""
        labels = [model.label for model in self._settings.llm.models]
        if self._settings.shard is not None:
            items[:], others = split_shard(items, labels, self._settings.shard)
            config.hook.pytest_deselected(items=others)
        order_for_generation(items, labels, self._queues)
        result = yield
        try:
            refuse_marked(items)
        except OptionError as error:
            if isinstance(self._announcer, WorkerLink):
                raise  # xdist does not pass a UsageError on
            raise pytest.UsageError(str(error)) from None
        keep_attempts_together(items)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """All attempts are known: generation can start, unless the session ends here and nothing must be paid for.

        pytest calls this in any case. Broken modules end a session without workers; xdist's workers go on.
        """
        alone = not isinstance(self._announcer, WorkerLink)
        broken = alone and session.testsfailed > 0 and not session.config.option.continue_on_collection_errors
        interrupted = sys.exc_info()[0] is not None
        self._announcer.announce(make_plan(self._collection, session.items), ask=not broken and not interrupted)

    def pytest_unconfigure(self) -> None:
        """A worker hangs up when it is done, so that the end of the session does not look like its loss."""
        if isinstance(self._announcer, WorkerLink):
            self._announcer.close()


class _Workers:
    """The controller's side of xdist."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the channel is."""
        node.workerinput[WORKER_INPUT] = self._controller.worker_input()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep attempts whole."""
        from pytest_llmbench.plugin.distributed.scheduler import AttemptScheduling

        return AttemptScheduling(config, log, self._items)

    def _items(self) -> Mapping[str, Any]:
        plan: Plan = self._controller.recorder.plan
        return plan.items
