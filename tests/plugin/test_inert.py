"""Where no model is chosen the plugin costs nothing and spends nothing."""

from __future__ import annotations

from support.bench import ADD_REPLY, Bench

ORDINARY = "def test_ordinary():\n    assert True\n"

WATCH = """
import sys
import socket

opened = []
real = socket.socket.__init__
def init(self, *args, **kwargs):
    opened.append(args)
    real(self, *args, **kwargs)
socket.socket.__init__ = init

def pytest_unconfigure():
    ours = {m for m in sys.modules if m.startswith("pytest_llmbench")}
    heavy = {m.partition(".")[0] for m in sys.modules} & {
        "pydantic", "httpx", "litellm", "openai", "rich", "asyncio", "stamina", "ast_grep_py", "markdown_it"
    }
    print("OURS", sorted(ours))
    print("HEAVY", sorted(heavy))
    print("SOCKETS", opened)
"""


def test_no_third_party_import_and_no_socket(bench: Bench) -> None:
    bench.file("tests/test_a.py", ORDINARY)
    bench.file("conftest.py", WATCH)
    bench.cold = True
    run = bench.run("-s")
    assert run.exit == 0, run.out
    assert "'pytest_llmbench.plugin'" in run.out
    assert "HEAVY []" in run.out
    assert "SOCKETS []" in run.out
    assert not (bench.root / ".llmbench").exists()


def test_tasks_are_skipped_with_one_line_that_says_how_to_choose(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    run = bench.run("tasks", *either_way)
    assert run.exit == 0
    assert run.counts() == {"skipped": 3}
    (line,) = [line for line in run.out.splitlines() if "llmbench:" in line]
    assert line == "3 rubric tests skipped: llmbench: no model chosen; choose one with --llm-model=NAME"
    again = bench.run("tasks", "-rs", *either_way)
    assert len([line for line in again.out.splitlines() if line.startswith("SKIPPED")]) == 1
    assert not (bench.root / ".llmbench").exists()


def test_a_bare_pytest_runs_testpaths_only(bench: Bench) -> None:
    bench.task("add")
    bench.file("tests/test_a.py", ORDINARY)
    assert bench.run().counts() == {"passed": 1}


def test_collect_only_and_setup_plan_ask_no_model(bench: Bench) -> None:
    bench.task("add")
    for mode in ("--collect-only", "--setup-plan"):
        run = bench.run(mode, "-q", "--llm-model=m1,m2", "--llm-epochs=2", "--llm-base-url=http://127.0.0.1:1/v1")
        assert run.exit == 0, run.out + run.err
        assert "test_adds[m1#2]" in run.out
        assert not (bench.root / ".llmbench").exists()


USED = """
import sys

def pytest_unconfigure():
    wanted = ("sandbox.container", "runs.compare", "analysis", "reporting.github", "reporting.markdown",
        "reporting.html", "llm.clients.litellm_client")
    print("UNUSED", sorted(m for m in sys.modules if m.startswith(tuple(f"pytest_llmbench.{each}" for each in wanted))))
"""


def test_what_a_session_does_not_use_is_not_imported(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file("conftest.py", USED)
    bench.cold = True
    run = bench.run("-s", "tasks", "--llm-model=dir:replies")
    assert run.exit == 0, run.out + run.err
    assert "UNUSED []" in run.out, run.out
