"""Uses that pytest allows and a plugin easily forgets: odd shapes of tests, odd names and options, hostile replies."""

from __future__ import annotations

import pytest
from support.bench import ADD_REPLY, WRONG_REPLY, Bench, Run
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


def test_classes_bases_static_and_inner_ones(bench: Bench, workers: tuple[str, ...]) -> None:
    run = grade(bench, 4, CLASSES, *workers)
    assert run.counts() == {"passed": 3, "failed": 1}, run.out
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


def test_xfail_and_skip(bench: Bench, workers: tuple[str, ...]) -> None:
    run = grade(bench, 8, MARKS, *workers)
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
    body = '@pytest.mark.xfail\n@pytest.mark.rubric("a", points=1)\ndef test_a(submission):\n    raise KeyError(1)\n'
    assert grade(bench, 1, body).attempt("odd", "mine")["error"]["kind"] == "harness"


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
def test_subtests(bench: Bench, workers: tuple[str, ...]) -> None:
    run = grade(bench, 5, SUBTESTS, *workers)
    assert outcomes(run) == {
        "skip-then-pass": "earned",
        "miss-then-pass": "missed",
        "miss-then-skip": "missed",
        "body": "missed",
        "extra": "bonus",
    }
    assert "FAILED tasks/test_odd.py::test_extra" not in run.out
    assert run.exit == 1


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="subtests came with pytest 9")
def test_a_fault_in_a_subtest_outweighs_a_miss(bench: Bench) -> None:
    body = """
@pytest.mark.rubric("a", points=1)
def test_a(submission, subtests):
    with subtests.test():
        raise KeyError("a bug in the grader")
    with subtests.test():
        assert 0
"""
    run = grade(bench, 1, body)
    assert run.attempt("odd", "mine")["error"]["message"] == "a: KeyError: 'a bug in the grader'"


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


def test_cases_of_every_kind_share_the_points(bench: Bench, workers: tuple[str, ...]) -> None:
    run = grade(bench, 2, PARAMETRIZED, *workers)
    assert run.counts() == {"passed": 4, "failed": 4, "skipped": 2}
    points = {c["id"]: (c["points"], c["max_points"]) for c in run.attempt("odd", "mine")["criteria"]}
    assert points == {"fixture": (0.5, 1.0), "indirect": (0.333333333, 0.666666667)}


ODD_NAMES = ["org/model:7b", "a[b]c", "x#2", "with space", "größe-模型", "a::b", "p%d%s", "L" * 200, "..", "a/../b", "-dash"]  # noqa: E501  # fmt: skip


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


def test_python_without_asserts_is_refused(bench: Bench) -> None:
    bench.task("add")
    bench.file("wrong/add.md", WRONG_REPLY)
    run = bench.run("--llm-model=dir:wrong", PYTHONOPTIMIZE="1")
    assert run.exit == 4
    assert "assert" in run.err


def test_a_broken_module_is_named_as_what_stopped_the_session(bench: Bench, workers: tuple[str, ...]) -> None:
    bench.task("add")
    bench.file("replies/add.md", ADD_REPLY)
    bench.file("tasks/test_syntax.py", "def test_(:\n")
    bench.file("tasks/test_import.py", "import nowhere_to_be_found\n")
    run = bench.run(MINE, *workers)
    assert run.exit in (1, 2)
    assert "SyntaxError" in run.out
    assert "nowhere_to_be_found" in run.out
    if "-n2" not in workers:  # with workers pytest-xdist grades what could be collected
        assert "stopped before the end: 2 errors during collection" in run.out
    assert bench.run(MINE, "--llm-fail-under=0", *workers).exit != 0
