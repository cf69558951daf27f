"""Uses that pytest allows and a plugin easily forgets: odd shapes of tests, odd names and options, hostile replies."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import signal
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.bench import ADD_REPLY, TASK, WRONG_REPLY, Bench, Run
from support.server import ChatServer

HEAD = """\
import pytest

pytestmark = [pytest.mark.llm_task(id="{id}", points=%s, files=["add.py"], prompt_text="Write add."),
              pytest.mark.filterwarnings("default")]


"""
MINE = "--llm-model=mine=dir:replies"


def grade(bench: Bench, points: float, body: str, *args: str) -> Run:
    """One task of these tests, graded on a sound reply."""
    bench.task("odd", HEAD % points + body.replace("{", "{{").replace("}", "}}"))
    bench.file("replies/odd.md", ADD_REPLY)
    return bench.run("tasks", MINE, *args)


def outcomes(run: Run) -> dict[str, str]:
    return {criterion["id"]: criterion["outcome"] for criterion in run.attempt("odd", "mine")["criteria"]}


BASE = """
class Base:
    @pytest.mark.rubric("inherited", points=1)
    def test_inherited(self, submission):
        assert self.sound
"""
CLASSES = f"""{BASE}

class TestOuter(Base):
    sound = True

    @staticmethod
    @pytest.mark.rubric("static", points=1)
    def test_static(submission):
        pass

    class TestInner:
        @pytest.mark.rubric("inner", points=1)
        def test_it(self, submission):
            pass


class TestOther:
    class TestInner:
        @pytest.mark.rubric("inner-missed", points=1)
        def test_it(self, submission):
            assert 0
"""


def test_classes_bases_static_and_inner_ones(bench: Bench, either_way: tuple[str, ...]) -> None:
    run = grade(bench, 4, CLASSES, *either_way)
    assert run.counts() == {"passed": 3, "missed": 1}, run.out
    assert outcomes(run) == {"inherited": "earned", "static": "earned", "inner": "earned", "inner-missed": "missed"}


def test_a_point_inherited_by_two_classes_is_two_points_of_one_name(bench: Bench) -> None:
    body = BASE + "class TestA(Base):\n    pass\n\n\nclass TestB(Base):\n    pass\n"
    run = grade(bench, 1, body)
    assert run.exit == 2
    assert "TestA::test_inherited and TestB::test_inherited" in run.out


def test_a_base_class_that_nobody_uses_is_told(bench: Bench) -> None:
    run = grade(
        bench,
        1,
        BASE + "class TestA:\n    def test_x(self):\n        pass\n",
    )
    assert run.exit == 2
    assert "Base::test_inherited has a rubric marker, but pytest collects no function of that name" in run.out


def test_names_of_tests_by_glob(bench: Bench) -> None:
    bench.file("pytest.ini", "[pytest]\npython_functions = *_check\n")
    body = '@pytest.mark.rubric("a", points=1)\ndef heap_check(submission):\n    pass\n'
    assert outcomes(grade(bench, 1, body)) == {"a": "earned"}


UNITTEST = """
import unittest


class TestOld(unittest.TestCase):
    @pytest.mark.rubric("old", points=1)
    def test_old(self):
        pass
"""


@pytest.mark.parametrize(
    "more", ["", '\n\n@pytest.mark.rubric("new", points=1)\ndef test_new(submission):\n    pass\n']
)
def test_unittest_classes_are_refused(bench: Bench, more: str) -> None:
    run = grade(bench, 2 if more else 1, UNITTEST + more)
    assert run.exit == 2, run.out
    assert "TestOld::test_old" in run.out
    assert "unittest.TestCase" in run.out
    assert "INTERNALERROR" not in run.out


def test_async_without_a_plugin_is_no_verdict(bench: Bench) -> None:
    body = '@pytest.mark.rubric("a", points=1)\nasync def test_a(submission):\n    assert 0\n'
    run = grade(bench, 1, body, "-p", "no:anyio")
    status = run.attempt("odd", "mine")["status"]
    # Newer pytest fails such a test, older pytest skips it.
    assert status == ("error" if pytest.version_tuple >= (8, 4) else "not_run"), run.out


MARKS = """
@pytest.mark.rubric("raises", points=1)
def test_raises(submission):
    with pytest.raises(ValueError):
        pass


@pytest.mark.xfail
@pytest.mark.rubric("xfail", points=1)
def test_xfail(submission):
    assert 0


@pytest.mark.xfail(strict=False)
@pytest.mark.rubric("xpass", points=1)
def test_xpass(submission):
    pass


@pytest.mark.xfail(strict=True)
@pytest.mark.rubric("xpass-strict", points=1)
def test_xpass_strict(submission):
    pass


@pytest.mark.rubric("xfail-call", points=1)
def test_xfail_call(submission):
    pytest.xfail("so far")


@pytest.mark.xfail(run=False)
@pytest.mark.rubric("not-run", points=1)
def test_not_run(submission):
    assert 0


@pytest.mark.skipif(True, reason="not here")
@pytest.mark.rubric("skipped", points=1)
def test_skipped(submission):
    assert 0


@pytest.fixture
def skips_late():
    yield
    pytest.skip("late")


@pytest.mark.rubric("late", points=1)
def test_late(submission, skips_late):
    pass
"""


def test_xfail_and_skip(bench: Bench, either_way: tuple[str, ...]) -> None:
    run = grade(bench, 8, MARKS, *either_way)
    assert outcomes(run) == {
        "raises": "missed",
        "xfail": "missed",
        "xpass": "earned",
        "xpass-strict": "earned",
        "xfail-call": "missed",
        "late": "earned",
    }
    assert run.attempt("odd", "mine")["status"] == "scored"


def test_xfail_never_makes_a_fault_of_the_grader_a_miss(bench: Bench) -> None:
    body = '@pytest.mark.xfail\n@pytest.mark.rubric("a", points=1)\ndef test_a(submission):\n    raise OSError(1)\n'
    assert grade(bench, 1, body).attempt("odd", "mine")["error"]["kind"] == "grader"


SUBTESTS = """
@pytest.mark.rubric("skip-then-pass", points=1)
def test_skip_then_pass(submission, subtests):
    with subtests.test():
        pytest.skip("this one")
    with subtests.test():
        pass


@pytest.mark.rubric("miss-then-pass", points=1)
def test_miss_then_pass(submission, subtests):
    with subtests.test():
        assert 0
    with subtests.test():
        pass


@pytest.mark.rubric("miss-then-skip", points=1)
def test_miss_then_skip(submission, subtests):
    with subtests.test():
        assert 0
    pytest.skip("the rest")


@pytest.mark.rubric("body", points=1)
def test_body(submission, subtests):
    with subtests.test():
        pass
    assert 0


@pytest.mark.rubric("extra", bonus=1)
def test_extra(submission, subtests):
    with subtests.test():
        assert 0
"""


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_subtests(bench: Bench, either_way: tuple[str, ...]) -> None:
    run = grade(bench, 5, SUBTESTS, *either_way)
    assert outcomes(run) == {
        "skip-then-pass": "earned",
        "miss-then-pass": "missed",
        "miss-then-skip": "missed",
        "body": "missed",
        "extra": "bonus",
    }
    assert run.counts()["missed"] >= 3
    assert "extra: " not in run.out
    assert run.exit == 1


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_a_fault_in_a_subtest_outweighs_a_miss(bench: Bench) -> None:
    body = """
@pytest.mark.rubric("a", points=1)
def test_a(submission, subtests):
    with subtests.test():
        raise OSError("no such disk")
    with subtests.test():
        assert 0
"""
    run = grade(bench, 1, body)
    assert run.attempt("odd", "mine")["error"]["message"] == "a: OSError: no such disk"


RAISES = """
import json

import helper


@pytest.fixture(scope="module")
def observed(submission):
    return json.loads(submission.files["add.py"])


@pytest.fixture(scope="module")
def broken():
    return open("/not/there")


@pytest.mark.rubric("body", points=1)
def test_body(submission):
    assert helper.share([]) == 1


@pytest.mark.rubric("fixture", points=1)
def test_fixture(observed):
    assert observed


@pytest.mark.rubric("more", bonus=1)
def test_more(observed):
    assert observed


@pytest.mark.rubric("cases", points=1)
@pytest.mark.parametrize("key", ["a", "b"])
def test_cases(submission, key):
    assert {"a": 1}[key]


@pytest.mark.rubric("late", points=1)
def test_late(submission):
    assert submission.key.epoch == 1 or [][0]
"""


def test_a_test_that_raises_over_what_was_handed_in_is_a_miss(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.file("tasks/helper.py", "def share(parts):\n    return 1 / len(parts)\n")
    bench.file("replies/odd.2.md", ADD_REPLY)
    run = grade(bench, 5, RAISES, "--llm-epochs=2", *either_way)
    attempt = run.attempt("odd", "mine", 2)
    assert (attempt["status"], attempt["points"]) == ("scored", 0.5)
    told = {criterion["id"]: (criterion["outcome"], criterion["raised"]) for criterion in attempt["criteria"]}
    assert told == {
        "body": ("missed", "ZeroDivisionError"),
        "fixture": ("missed", "JSONDecodeError"),
        "more": ("bonus", "JSONDecodeError"),
        "cases": ("missed", "KeyError"),
        "late": ("missed", "IndexError"),
    }
    message = attempt["criteria"][0]["message"]
    assert message == "raised ZeroDivisionError over what was handed in: division by zero"
    always = "in every attempt: probably a fault of the test, run --llm-selfcheck"
    assert f"raised: odd: body: missed because its test raised ZeroDivisionError {always}" in run.out
    assert "raised: odd: late: missed because its test raised IndexError in 1 of 2 attempts" in run.out
    assert run.counts() == {"passed": 3, "missed": 7, "xfailed": 2}
    assert run.out.count("\nraised: ") == 5


def test_a_fixture_that_fails_by_itself_is_an_error(bench: Bench) -> None:
    bench.file("tasks/helper.py", "")
    body = RAISES.replace("def test_fixture(observed)", "def test_fixture(broken)").replace("helper.share([])", "1")
    run = grade(bench, 5, body)
    assert run.attempt("odd", "mine")["error"]["message"].startswith("fixture: FileNotFoundError")


PARAMETRIZED = """
@pytest.fixture(params=["f1", "f2"])
def small(request):
    return request.param


@pytest.fixture(scope="session", params=["s1", "s2"])
def large(request):
    return request.param


@pytest.mark.rubric("fixture", points=1)
def test_fixture(submission, small, large):
    assert small == "f1"


@pytest.mark.rubric("indirect", points=1)
@pytest.mark.parametrize("small", ["x-y", "z"], indirect=True)
@pytest.mark.parametrize("more", [1, pytest.param(2, marks=pytest.mark.skip(reason="no")), pytest.param(3, id="")])
def test_indirect(submission, small, more):
    assert small == "z"
"""


def test_cases_of_every_kind_share_the_points(bench: Bench, either_way: tuple[str, ...]) -> None:
    run = grade(bench, 2, PARAMETRIZED, *either_way)
    assert run.counts() == {"passed": 4, "missed": 4, "skipped": 2}
    points = {c["id"]: (c["points"], c["max_points"]) for c in run.attempt("odd", "mine")["criteria"]}
    assert points == {"fixture": (0.5, 1.0), "indirect": (0.333333333, 0.666666667)}


ODD_NAMES = ["org/model:7b", "a[b]c", "x#2", "with space", "größe-模型", "a::b", "p%d%s", "L" * 200, "..", "a/../b", "-dash"]  # noqa: E501  # fmt: skip


@pytest.mark.slow
def test_odd_names_of_models(bench: Bench) -> None:
    bench.task("add")
    with ChatServer(ADD_REPLY, models=ODD_NAMES) as server:
        options = (*(f"--llm-model={name}" for name in ODD_NAMES), f"--llm-base-url={server.base_url}")
        for more in ((), ("-n2", "--llm-epochs=2")):
            run = bench.run(*options, *more)
            assert run.exit == 0, run.out + run.err
            assert {row["model"] for row in run.results["leaderboard"]} == set(ODD_NAMES)
            assert {row["rank"] for row in run.results["leaderboard"]} == {1}
        inside = [path.resolve() for path in run.folder.rglob("*")]
        assert all(path.is_relative_to(run.folder) for path in inside)
        picked = ["test_adds[org/model:7b#2]", "test_commutes[a::b#1-5-3]", "test_adds[a[b]c#1]"]
        some = bench.run(*options, "--llm-epochs=2", *(f"tasks/test_add.py::{name}" for name in picked))
        assert some.counts() == {"passed": 3}
        assert some.exit == 0


def test_options_that_take_the_next_word_do_not_take_the_tasks(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    for option in ("--debug", "--cache-show"):
        run = bench.run(MINE, option)
        assert run.exit == 0, run.out + run.err
        assert "INTERNALERROR" not in run.out
    assert len(list((bench.root / ".llmbench/runs").iterdir())) == 1, "--cache-show opens no run"


@pytest.mark.slow
def test_python_without_asserts_is_refused(bench: Bench) -> None:
    bench.task("add")
    bench.file("wrong/add.md", WRONG_REPLY)
    run = bench.run("--llm-model=dir:wrong", PYTHONOPTIMIZE="1")
    assert run.exit == 4
    assert "assert" in run.err


@pytest.mark.slow
def test_a_broken_module_is_named_as_what_stopped_the_session(bench: Bench, either_way: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file("tasks/test_syntax.py", "def test_(:\n")
    bench.file("tasks/test_import.py", "import nowhere_to_be_found\n")
    run = bench.run(MINE, *either_way)
    assert run.exit in (1, 2)
    assert "SyntaxError" in run.out
    assert "nowhere_to_be_found" in run.out
    if "-n2" not in either_way:  # with workers pytest-xdist grades what could be collected
        assert "stopped before the end: 2 errors during collection" in run.out
    assert bench.run(MINE, "--llm-fail-under=0", *either_way).exit != 0


@pytest.mark.slow
def test_a_broken_module_or_a_key_while_collecting_asks_nobody(bench: Bench) -> None:
    bench.task("add")
    bench.file("tasks/test_syntax.py", "def test_(:\n")
    with ChatServer(ADD_REPLY) as server:
        options = ("--llm-model=test-model", f"--llm-base-url={server.base_url}")
        run = bench.run(*options)
        assert run.exit == 2
        assert run.attempt("add", "test-model")["reason"] == "1 error during collection"
        bench.file("tasks/test_syntax.py", "raise KeyboardInterrupt\n")
        assert bench.run(*options).exit == 2
        assert server.chat_count == 0
        if pytest.version_tuple >= (9,):  # older workers take the key for a broken module, and go on
            # xdist starts a worker again that ended so, unless it is told how often.
            assert bench.run(*options, "-n2", "--max-worker-restart=1").exit == 2
            assert server.chat_count == 0
        bench.file("tasks/test_syntax.py", "1 / 0\n")
        assert bench.run(*options, "--continue-on-collection-errors").row("test-model")["total"] == 4.0


HOSTILE = r"""
EVIL = "\x1b[31mred\x1b]0;title\x07 \x00 ]]> <b>&amp; \ud800 \u202e \x9b31m \r over"


@pytest.mark.rubric("asserted", points=1)
def test_asserted(submission):
    assert not EVIL, EVIL


@pytest.mark.rubric("printed", points=1)
def test_printed(submission):
    print(EVIL.encode("utf-8", "replace").decode())
    pytest.fail(EVIL, pytrace=False)


@pytest.mark.rubric("chained", points=1)
def test_chained(submission):
    try:
        raise ValueError(EVIL)
    except ValueError as error:
        raise AssertionError(EVIL) from error


@pytest.mark.rubric("skipped", points=1)
def test_skipped(submission):
    pytest.skip(EVIL)


@pytest.mark.rubric("broken", points=1)
def test_broken(submission):
    raise KeyError(EVIL)
"""


@pytest.mark.parametrize("style", ["long", "short", "native", "line"])
def test_hostile_text_reaches_no_terminal_and_no_report_raw(bench: Bench, style: str) -> None:
    workers = ("-n2",) if style in ("long", "native") else ("-l",)
    options = ("--junitxml=junit.xml", "--json-report", "--json-report-file=report.json", "-rA", f"--tb={style}")
    run = grade(bench, 5, HOSTILE, *options, *workers)
    assert outcomes(run)["printed"] == "missed"
    assert "INTERNALERROR" not in run.out
    ET.parse(bench.root / "junit.xml")
    json.loads((bench.root / "report.json").read_text())
    written = [
        path.read_text()
        for path in [*run.folder.glob("*.json*"), *bench.root.glob("*.xml"), *bench.root.glob("*.json")]
    ]
    for text in (run.out, run.err, *written):
        assert not set(text) & set("\x1b\x07\x00\x9b\u202e")


def test_keys_stay_in_the_environment(bench: Bench, workers: tuple[str, ...]) -> None:
    body = """
@pytest.mark.rubric("looks", points=1)
def test_looks(sandbox):
    every = "import glob; print([open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/environ')])"
    print(sandbox.run(["python", "-c", "import os; print(os.environ); " + every]).stdout)
    assert 0
"""
    bench.task("odd", (HEAD % 1).replace("files=", 'toolchains=["python"], files=') + body)
    keys = {"OPENAI_API_KEY": "canary-1", "ANTHROPIC_API_KEY": "canary-2"}
    with ChatServer(ADD_REPLY) as server:
        options = (
            "--llm-model=test-model",
            f"--llm-base-url={server.base_url}",
            "--junitxml=junit.xml",
            "--json-report",
            "--tb=short",
        )
        run = bench.run("tasks", *options, *workers, **keys)
        assert server.requests[0].headers["authorization"] == "Bearer canary-1"
    assert "WORKSPACE" in run.out, "the sandbox's environment was to be seen"
    assert "canary" not in run.out + run.err
    assert not [path for path in bench.root.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]


SLEEPS = """
@pytest.mark.rubric("ends", points=1)
def test_ends(sandbox):
    open("started", "w").close()
    assert sandbox.run(["python", "add.py"]).exit_code == 0
"""
LONG_SLEEP = """```python
import subprocess, time

subprocess.Popen(["/bin/sleep", "{seconds}"])
time.sleep({seconds})
```
"""


def processes(mark: str) -> list[str]:
    """Command lines of this machine that hold a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if mark in line]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["plain", "n2"])
@pytest.mark.parametrize("how", ["once", "twice", "term"])
def test_a_key_while_a_program_sleeps_ends_it_too(bench: Bench, workers: tuple[str, ...], how: str) -> None:
    bench.task("odd", (HEAD % 1).replace("files=", 'toolchains=["python"], files=') + SLEEPS)
    seconds = f"77.{secrets.randbelow(10**9):09}"  # another one in every test: others run beside
    bench.file("replies/odd.md", LONG_SLEEP.format(seconds=seconds))
    process = bench.start("tasks", MINE, *workers)
    deadline = time.monotonic() + 60
    while not (bench.root / "started").exists() or not processes(f"/bin/sleep {seconds}"):
        assert time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    began = time.monotonic()
    if how == "term":
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGINT)
    if how == "twice":
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 6, "the aim is 2 s"
    while processes(f"/bin/sleep {seconds}") or processes(str(bench.root)):
        assert time.monotonic() - began < 12, "what was killed takes a moment to go"
        time.sleep(0.05)
    attempt = Run(process.returncode, out, err, bench.root).attempt("odd", "mine")
    assert attempt["status"] == "not_run"
    assert attempt["reason"] == "interrupted"


def test_a_worker_that_is_killed_while_it_waits_costs_one_test(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.task(name)
    with ChatServer(ADD_REPLY) as server, contextlib.ExitStack() as held:
        held.enter_context(server.hold())
        process = bench.start("--llm-model=test-model", f"--llm-base-url={server.base_url}", "-n2")
        server.wait_for(lambda s: s.in_flight > 0, 60)
        time.sleep(1)  # until both workers wait
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)  # the first one is not a worker where workers are forked
        time.sleep(0.5)
        held.close()
        out, err = process.communicate(timeout=60)
    run = Run(process.returncode, out, err, bench.root)
    assert run.counts() == {"error": 1, "passed": 8}, out
    states = [attempt["status"] for attempt in run.results["attempts"]]
    assert sorted(states) == ["error", "scored", "scored"]


def test_paths_in_the_ini_start_at_the_rootdir(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    text = "[pytest]\nllm_taskpaths = tasks\nllm_model = mine=dir:replies\nllm_run_dir = kept\n"
    bench.file("pytest.ini", text)
    (bench.root / "sub").mkdir()
    run = bench.run("../tasks", cwd=bench.root / "sub")
    assert run.exit == 0, run.out + run.err
    assert (bench.root / "kept/latest/results.json").is_file()


SHUFFLE = """
import random
import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    random.Random(7).shuffle(items)
"""


def test_any_order_of_other_plugins_keeps_attempts_together(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.file("conftest.py", SHUFFLE)
    for number in range(4):
        bench.task(f"t{number}")
        bench.file(f"replies/t{number}.md", ADD_REPLY)
        bench.file(f"wrong/t{number}.md", WRONG_REPLY)
    run = bench.run(MINE, "--llm-model=wrong=dir:wrong", "-v", *workers)
    assert run.counts() == {"passed": 12, "missed": 12}
    assert {attempt["status"] for attempt in run.results["attempts"]} == {"scored"}
    if "-n2" not in workers:
        order = [
            line.partition("::")[0] + ("wrong" if "[wrong" in line else "mine")
            for line in run.out.splitlines()
            if "%]" in line
        ]
        assert sum(one != other for one, other in itertools.pairwise(order)) == 7


def test_without_a_terminal_reporter_the_run_is_kept_all_the_same(bench: Bench) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    for workers in ((), ("-n2",)):
        run = bench.run("-p", "no:terminal", "tasks", "--llm-model=dir:replies", *workers)
        assert run.exit == 0, run.out + run.err
        assert run.row("dir:replies")["total"] == 4.0


@pytest.mark.parametrize("typo", [("-k", "nosuch"), ("tests/nosuch.py",)])
def test_a_session_without_attempts_leaves_no_run(bench: Bench, typo: tuple[str, ...]) -> None:
    bench.task("one")
    first = bench.run("--llm-model=builtin/reference")
    again = bench.run("--llm-model=builtin/reference", *typo)
    assert again.exit in (4, 5)
    runs = bench.root / ".llmbench"
    assert [path.name for path in (runs / "runs").iterdir()] == [first.folder.name]
    assert (runs / "latest").resolve() == first.folder.resolve()


@pytest.mark.parametrize("name", ["bench[1]", "a::b", "x[y"])
def test_a_project_in_a_folder_whose_name_pytest_would_cut(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    bench = Bench(root)
    bench.task("add")
    bench.file("more/own/test_own.py", TASK.replace("{id}", "own").replace("{{", "{").replace("}}", "}"))
    bench.file("pytest.ini", "[pytest]\nllm_taskpaths = tasks more\n")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file("replies/own.md", ADD_REPLY)
    run = bench.run("--llm-model=dir:replies")
    assert run.exit == 0, run.out + run.err
    assert run.row("dir:replies")["total"] == 8
    run = bench.run("--llm-model=dir:replies", "--llm-suite=own")
    assert run.exit == 0, run.out + run.err


def test_a_task_folder_that_pytest_would_cut_is_named(bench: Bench) -> None:
    bench.file("tasks[1]/x", "")
    bench.file("pytest.ini", "[pytest]\nllm_taskpaths = tasks[1]\n")
    run = bench.run("--llm-model=builtin/reference")
    assert run.exit == 4, run.out
    assert "tasks[1] cannot be run: pytest takes '['" in run.err


OWN_NAMES = """\
import pytest

pytestmark = pytest.mark.llm_task(id="named", points=2, files=["add.py"], prompt_text="Write add.")


class TestOuter:
    class TestInner:
        @pytest.mark.rubric("inner", points=1)
        def test_inner(self, submission):
            assert "def add" in submission.files["add.py"], "no add"


@pytest.mark.rubric("outer", points=1)
def test_outer(submission):
    assert len(submission.files) == 2
"""


@pytest.mark.parametrize(
    "naming",
    ["python_files = tests.py", "python_functions = it_*", "python_classes = Describe", "python_files = spec/*.py"],
)
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_projects_own_names_for_tests_hide_no_task(bench: Bench, naming: str, workers: tuple[str, ...]) -> None:
    """Nor what an assertion says, and the project's own tests stay those that it calls so."""
    bench.file("tasks/own/test_named.py", OWN_NAMES)
    bench.file("tests/test_passed_over.py", "def check_x(): assert 0\n")
    bench.file("pytest.ini", f"[pytest]\nllm_taskpaths = tasks\n{naming}\n")
    bench.file("replies/named.md", ADD_REPLY)
    run = bench.run("--llm-suite=own", "--llm-model=dir:replies", *workers)
    assert run.exit == 1, run.out + run.err
    assert run.row("dir:replies")["total"] == 1
    assert "assert 1 == 2" in run.out
    assert run.counts() == {"passed": 1, "missed": 1}
