"""The plugin's entry point. Standard library only until a model is chosen, so that it costs others nothing."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench import clock as clock  # the real one: nothing is frozen yet
from pytest_llmbench.errors import LLMBenchError, OptionError
from pytest_llmbench.plugin import hookspecs
from pytest_llmbench.plugin.author import fixtures
from pytest_llmbench.plugin.collect.keep_out import keep_out
from pytest_llmbench.plugin.options.settings import add_options, read_settings
from pytest_llmbench.schema.settings import Settings
from pytest_llmbench.text import sanitize

if TYPE_CHECKING:
    from pytest_llmbench.llm.protocols import ModelProvider
    from pytest_llmbench.llm.solving import Solver
    from pytest_llmbench.plugin.collect.tasks import Collection
    from pytest_llmbench.sandbox.backend import Backend
    from pytest_llmbench.sandbox.registry import BackendFamily, Backends

SETTINGS = pytest.StashKey[Settings]()
COLLECTION = pytest.StashKey["Collection"]()
MARKERS = {
    "llm_task": "llm_task(id, points, files, workspace, leave_out, suite, floor, prompt, prompt_text, toolchains, "
    "data, turns, feedback, budget_s): "
    "makes a module a benchmark task (as pytestmark)",
    "rubric": "rubric(name, points|bonus|cap|penalty, dimension, all_cases): makes a test a rubric point of its task",
}
_HOW_TO_CHOOSE = "llmbench: no model chosen; choose one with --llm-model=NAME"
_ASKS_NOTHING = (
    "help", "version", "collectonly", "setupplan", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow"
)  # fmt: skip


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks through which others extend this plugin."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_llmbench_sandboxes() -> Iterable[type[Backend] | BackendFamily]:
    """The backends that come with this package."""
    from pytest_llmbench.sandbox.registry import OWN_BACKENDS

    return OWN_BACKENDS


def pytest_llmbench_clients() -> Iterable[ModelProvider]:
    """The clients that come with this package."""
    from pytest_llmbench.llm.clients.factory import own_providers

    return own_providers()


def pytest_llmbench_solvers() -> Iterable[Solver]:
    """The solvers that come with this package."""
    from pytest_llmbench.solvers.registry import own_solvers

    return own_solvers()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Add the tasks that ``--llm-suite`` or a bare ``--llm-model`` mean to what pytest collects, and no replies."""
    try:
        settings = read_settings(early_config, early_config.known_args_namespace)
        if settings.active or settings.suites or settings.loaded:
            from pytest_llmbench.plugin.options.task_paths import add_task_paths

            add_task_paths(settings, early_config, args)
        early_config.pluginmanager.register(keep_out(settings, early_config), "llmbench-keep-out")
    except OptionError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """``--llm-list-models`` takes the place of the session."""
    if getattr(config.option, "llm_list_models", None) is None and not os.environ.get("LLMBENCH_LIST_MODELS"):
        return None
    try:
        settings = read_settings(config, config.option)
        if not settings.list_models:
            return None
        from pytest_llmbench.llm.discovery.listing import reachable
        from pytest_llmbench.plugin.extensions import extensions_of

        for line in reachable(settings.llm, os.environ, extensions_of(config).providers):
            print(sanitize(line))
    except LLMBenchError as error:
        raise pytest.UsageError(sanitize(str(error))) from None
    return 0


def pytest_configure(config: pytest.Config) -> None:
    """Register markers and fixtures; with a model chosen, open the session's moving parts."""
    for line in MARKERS.values():
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(fixtures, "llmbench-fixtures")
    try:
        settings = config.stash[SETTINGS] = read_settings(config, config.option, lambda: _backends(config))
        if settings.active or settings.suites:
            from pytest_llmbench.plugin.collect.naming import task_naming

            if (naming := task_naming(config)) is not None:
                config.pluginmanager.register(naming, "llmbench-naming")
        loaded = None
        if settings.loaded:
            from pytest_llmbench.plugin.collect.loaded import loaded_suites

            loaded = loaded_suites(config, settings, collection_of(config))
        if settings.active and not any(config.getoption(name, False) for name in _ASKS_NOTHING):
            from pytest_llmbench.plugin.activate import activate

            activate(config, settings, collection_of(config))
        if loaded is not None:
            config.pluginmanager.register(loaded, "llmbench-loaded")  # last: around what orders and shards the items
    except LLMBenchError as error:
        raise pytest.UsageError(sanitize(str(error))) from None  # a server's names may be in it


def _backends(config: pytest.Config) -> Backends:
    from pytest_llmbench.plugin.extensions import extensions_of

    return extensions_of(config).sandboxes


def collection_of(config: pytest.Config) -> Collection:
    """This process's tasks."""
    if COLLECTION not in config.stash:
        from pytest_llmbench.attempts.provisioning import missing
        from pytest_llmbench.plugin.collect.tasks import Collection

        settings = config.stash[SETTINGS]
        config.stash[COLLECTION] = Collection(settings, lambda task: missing(task, settings.sandbox))
    return config.stash[COLLECTION]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, object, object]:
    """Parametrize the tests of tasks over models and epochs; others are left alone.

    Around all other plugins, for some repeat tests by a parameter: the model comes first in an id.
    """
    if any(mark.name in MARKERS for mark in metafunc.definition.iter_markers()):
        collection_of(metafunc.config).parametrize(metafunc)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Note every case of every rubric point, before any selection."""
    report = yield
    for node in report.result if report.passed else ():
        # A test of unittest takes no fixtures and is never parametrized: pytest would run it without an attempt.
        if getattr(node, "nofuncargs", False) and isinstance(node, pytest.Item) and node.get_closest_marker("rubric"):
            where = f"{node.path}: {node.nodeid.partition('::')[2]}"
            remedy = "A unittest.TestCase method cannot be a rubric point: write a plain class or function"
            return pytest.CollectReport(
                collector.nodeid, "failed", f"llmbench: {where} has a rubric marker. {remedy}.", []
            )
    if COLLECTION in collector.config.stash and report.passed:
        collection_of(collector.config).note_cases(collector, report.result)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what cannot be graded here, from one place, so that pytest tells it once."""
    if COLLECTION not in item.config.stash:
        return
    if not item.config.stash[SETTINGS].active:
        if item.get_closest_marker("llm_task"):
            pytest.skip(_HOW_TO_CHOOSE)
    elif reason := collection_of(item.config).why_skip(item):
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how to choose a model when tasks were skipped for want of one."""
    skipped = terminalreporter.stats.get("skipped", []) if not config.stash[SETTINGS].active else []
    count = sum(_HOW_TO_CHOOSE in str(report.longrepr) for report in skipped)
    if count and config.get_verbosity() > -2:  # noqa: PLR2004  # -qq is silence
        terminalreporter.write_line(f"{count} rubric tests skipped: {_HOW_TO_CHOOSE}")
