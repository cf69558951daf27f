"""Whose fault an exception of a rubric test is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pytest_llmbench.errors import HarnessError, ModelError, SandboxError
from pytest_llmbench.plugin.runtest.blame import OVER_BUDGET, blame
from pytest_llmbench.schema.attempt import Failure


class Answer(BaseModel):
    figure: int


def deep() -> None:
    deep()


NOTHING: Any = None
BY_DATA = {
    "ZeroDivisionError": lambda: 1 / 0,
    "KeyError": lambda: {}["key"],
    "IndexError": [].pop,
    "TypeError": lambda: len(NOTHING),
    "AttributeError": lambda: NOTHING.text,
    "ValueError": lambda: int("seven"),
    "JSONDecodeError": lambda: json.loads("{"),
    "UnicodeDecodeError": b"\xff".decode,
    "UnicodeEncodeError": "\ud800".encode,
    "OverflowError": lambda: int(float("inf")),
    "RecursionError": lambda: deep(),  # noqa: PLW0108
    "MemoryError": lambda: [0] * sys.maxsize,
    "StopIteration": lambda: next(iter([])),
    "ValidationError": lambda: Answer.model_validate({"figure": "seven"}),
    "SyntaxError": lambda: compile("def", "slug.py", "exec"),
    "error": lambda: re.compile("("),
}


def stop() -> None:
    raise SandboxError("the sandbox did not start. Look there.")


def while_a_fault_is_handled() -> None:
    try:
        stop()
    finally:
        NOTHING.close()


def not_reached() -> None:
    raise ModelError(Failure(kind="timeout", message="late"))


def group(*kinds: type[Exception]) -> None:
    raise ExceptionGroup("several", [kind("one") for kind in kinds])


NOT_BY_DATA = {
    "LLMBenchError": stop,
    "context": while_a_fault_is_handled,
    "OSError": lambda: Path("/does/not/exist").read_text(),
    "TimeoutError": lambda: (_ for _ in ()).throw(TimeoutError("late")),
    "SubprocessError": lambda: subprocess.run(["false"], check=True),
    "ImportError": lambda: __import__("no_such_module_anywhere"),
    "NameError": lambda: no_such_name,  # noqa: F821
    "NotImplementedError": lambda: (_ for _ in ()).throw(NotImplementedError),
    "Warning": lambda: (_ for _ in ()).throw(DeprecationWarning("old")),
    "KeyboardInterrupt": lambda: (_ for _ in ()).throw(KeyboardInterrupt),
    "SystemExit": lambda: sys.exit(1),
    "a group with one": lambda: group(KeyError, OSError),
    "a broken module beside": lambda: compile("def", str(HERE / "helper.py"), "exec"),
}
HERE = Path(__file__).parent


def caught(function: object, when: str = "call", folder: Path = HERE) -> str:
    try:
        function()  # type: ignore[operator]
    except BaseException as error:  # noqa: BLE001
        return blame(error, when, folder)
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("when", ["setup", "call"])
@pytest.mark.parametrize("name", BY_DATA)
def test_what_data_causes_is_a_miss(name: str, when: str) -> None:
    assert caught(BY_DATA[name], when) == "raised"


@pytest.mark.parametrize("name", BY_DATA)
def test_at_teardown_nothing_is_a_miss(name: str) -> None:
    assert caught(BY_DATA[name], "teardown") == "grader"


@pytest.mark.parametrize("name", NOT_BY_DATA)
def test_what_data_never_causes_is_ours(name: str) -> None:
    assert caught(NOT_BY_DATA[name]) == "grader"


def test_an_attempt_without_a_reply_is_not_reached() -> None:
    assert caught(not_reached, "setup") == "not_reached"


def test_groups_are_what_their_members_are() -> None:
    assert caught(lambda: group(KeyError, AssertionError)) == "raised"
    assert caught(lambda: group(AssertionError)) == "missed"
    assert caught(lambda: group(AssertionError), "setup") == "grader"


def test_an_assertion_is_a_miss_in_the_body_only() -> None:
    def fails() -> None:
        assert not HERE

    assert (caught(fails), caught(fails, "setup")) == ("missed", "grader")
    assert caught(lambda: pytest.fail("no")) == "missed"
    assert caught(lambda: pytest.fail("no"), "setup") == "grader"
    assert caught(lambda: pytest.fail(OVER_BUDGET + "10 s of CPU"), "setup") == "missed"


def test_what_is_raised_elsewhere_is_ours(tmp_path: Path) -> None:
    """By a plugin, or by a fixture that is not written beside the task."""
    assert caught(BY_DATA["KeyError"], folder=tmp_path) == "grader"


@pytest.mark.parametrize(
    ("room", "verdict"),
    [
        ("sandbox/run.py", "grader"),
        ("plugin/author/fixtures.py", "grader"),
        ("plugin/author/source.py", "raised"),
        ("extraction/extract.py", "raised"),
        ("suites/tasks/six/oracle.py", "raised"),
    ],
)
def test_a_bug_of_ours_that_a_test_runs_into_is_ours(room: str, verdict: str) -> None:
    """But what looks at the text of a reply may choke on it, and a task that comes along is a task."""
    import pytest_llmbench

    place = Path(pytest_llmbench.__file__).parent / room
    module = types.ModuleType("somewhere")
    module.__file__ = str(place)
    exec(compile("def divide():\n    1 / 0\n", str(place), "exec"), vars(module))
    assert caught(module.divide) == verdict


def test_a_missing_fixture_is_ours(request: pytest.FixtureRequest) -> None:
    assert caught(lambda: request.getfixturevalue("no_such_fixture"), "setup") == "grader"


def test_the_code_of_a_moved_project_is_known_by_its_module(tmp_path: Path) -> None:
    space: dict[str, Any] = {"__file__": str(tmp_path / "test_moved.py"), "__name__": "test_moved"}
    exec(compile("def divide():\n    1 / 0\n", "/where/it/was/test_moved.py", "exec"), space)
    assert caught(space["divide"], folder=tmp_path) == "raised"


def test_a_harness_error_is_ours_even_where_a_test_raises_it() -> None:
    def gives_up() -> None:
        raise HarnessError("no. Look there.")

    assert caught(gives_up) == "grader"
