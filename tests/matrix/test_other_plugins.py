"""A small suite beside other plugins, one at a time: it is graded as without them, or the plugin is refused by name.

For tox's environment ``plugins``, which installs them; not among the usual tests.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from support.bench import ADD_REPLY, Bench
from support.server import ChatServer, Reply


class Plugin(NamedTuple):
    """What loads it, and options that make it do something."""

    module: str
    options: tuple[str, ...] = ()
    refused: str = ""
    """How the message begins; empty: it works."""


PLUGINS = {
    "randomly": Plugin("pytest_randomly"),
    "sugar": Plugin("pytest_sugar"),
    "html": Plugin("pytest_html.plugin", ("-ppytest_html.fixtures", "-ppytest_metadata.plugin", "--html=report.html")),
    "cov": Plugin("pytest_cov.plugin", ("--cov=tasks",)),
    "asyncio": Plugin("pytest_asyncio.plugin", ("--asyncio-mode=auto",)),
    "rerunfailures": Plugin("pytest_rerunfailures"),
    "reruns": Plugin("pytest_rerunfailures", ("--reruns=2",), "reruns would keep the best"),
    "repeat": Plugin("pytest_repeat", ("--count=2",)),
    "flakefinder": Plugin("pytest_flakefinder", ("--flake-finder", "--flake-runs=2")),
    "split": Plugin("pytest_split.plugin", ("--splits=1", "--group=1")),
    "benchmark": Plugin("pytest_benchmark.plugin"),
    "instafail": Plugin("pytest_instafail", ("--instafail",)),
    "reportlog": Plugin("pytest_reportlog.plugin", ("--report-log=log.json",)),
    "mock": Plugin("pytest_mock"),
    "clarity": Plugin("pytest_clarity.plugin"),
    "rich": Plugin("pytest_rich.plugin", ("--rich",)),
    "order": Plugin("pytest_order.plugin"),
    "check": Plugin("pytest_check.plugin"),
    "testmon": Plugin("testmon.pytest_testmon", ("--testmon",)),
    "bdd": Plugin("pytest_bdd.plugin"),
    "httpx": Plugin("pytest_httpx"),
    "freezer": Plugin("pytest_freezer"),
    "retry": Plugin("pytest_retry.retry_plugin"),
    "retries": Plugin("pytest_retry.retry_plugin", ("--retries=2",), "retries would keep the best"),
    "socket": Plugin("pytest_socket", ("--disable-socket", "-n1")),
    "forked": Plugin("pytest_forked"),
    "fork": Plugin("pytest_forked", ("--forked",), "forked would grade"),
}
OURS = ("-pllmbench", "-pxdist", "-ptimeout")
"""By their names as plugins: others ask for these."""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
@pytest.mark.parametrize("name", PLUGINS)
def test_a_small_suite(bench: Bench, name: str, workers: tuple[str, ...]) -> None:
    plugin = PLUGINS[name]
    bench.cold = True  # the process that others are forked from has other plugins loaded
    bench.task("add")
    bench.task("plus")
    with ChatServer(Reply(text=ADD_REPLY)) as server:
        run = bench.run(
            *OURS,
            f"-p{plugin.module}",
            "--llm-model=test-model",
            f"--llm-base-url={server.url}",
            "--llm-fail-under=100",
            *plugin.options,
            *workers,
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
            PYTEST_ADDOPTS="",
        )
    if plugin.refused:
        assert run.exit == 4, run.out + run.err
        assert f"ERROR: {plugin.refused}" in run.err
        return
    assert run.exit == 0, run.out + run.err
    assert run.row("test-model")["total"] == 8
    assert all(0 <= attempt["wall_s"] < 60 for attempt in run.results["attempts"])
