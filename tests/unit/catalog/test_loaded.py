"""What a loader gives: read by the rules for markers, and what each wrong use is told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.catalog.loaded import checked_id, loader_registry, read_loaded
from pytest_llmbench.errors import OptionError, TaskError
from pytest_llmbench.schema.loaded import LoadedPoint, LoadedTask
from pytest_llmbench.schema.registry import OURS


def check(submission: object) -> None:
    """Says what it asks for.

    And more.
    """


def task(**changed: Any) -> LoadedTask:
    return replace(
        LoadedTask(
            id="fizz",
            prompt_text="Write fizz.",
            files=["fizz.py"],
            rubric=[LoadedPoint("fizzes", check, points=3), LoadedPoint("short", check, bonus=1, title="Is short.")],
            fingerprint="1 2 fizz",
        ),
        **changed,
    )


def refused(where: Path, match: str, **changed: Any) -> None:
    with pytest.raises(TaskError, match=match) as caught:
        read_loaded(task(**changed), "rows", where)
    assert str(where) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_task_is_read_as_from_a_marker(tmp_path: Path) -> None:
    read = read_loaded(task(floor=1, toolchains=("node",), budget_s=9), "rows", tmp_path)
    assert (read.id, read.suite, read.points, read.floor) == ("fizz", "rows", 4.0, 1.0)
    assert (read.prompt, read.files, read.toolchains, read.budget_s) == ("Write fizz.", ("fizz.py",), ("node",), 9.0)
    assert [(p.id, p.kind, p.value, p.title) for p in read.rubric] == [
        ("fizzes", "points", 3.0, "Says what it asks for."),
        ("short", "bonus", 1.0, "Is short."),
    ]
    assert read.module == Path(__file__), "whose exceptions are those of the task's own code"
    assert read.data is None, "unlike a module, a row has no folder that could be meant"


def test_starter_and_data(tmp_path: Path) -> None:
    (tmp_path / "data/starter").mkdir(parents=True)
    (tmp_path / "data/starter/fizz.py").write_text("# begin\n")
    file = tmp_path / "rows.jsonl"
    file.touch()
    for path in (tmp_path, file):
        read = read_loaded(task(data=Path("data")), "rows", path)
        assert (read.data, dict(read.starter)) == ((tmp_path / "data").resolve(), {"fizz.py": "# begin\n"})
    assert dict(read_loaded(task(starter={"a.py": "1"}), "rows", file).starter) == {"a.py": "1"}


def other_points(**changed: Any) -> list[LoadedPoint]:
    return [replace(task().rubric[0], **changed)]


def elsewhere(folder: Path) -> Callable[..., None]:
    """A check in a file of its own."""
    path = folder / "checks.py"
    path.write_text("def check(submission): pass\n")
    space: dict[str, Any] = {"__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), space)
    found: Callable[..., None] = space["check"]
    return found


def test_the_fingerprint_changes_with_all_that_verdicts_depend_on(tmp_path: Path) -> None:
    def told(loader: str = "rows", **changed: Any) -> str:
        return read_loaded(task(**changed), loader, tmp_path).fingerprint

    assert told() == told()
    assert told(floor=2) == told(), "how it is scored is recorded, and is no other task"
    changes: list[dict[str, Any]] = [
        {"fingerprint": "other inputs"},
        {"prompt_text": "Write it."},
        {"starter": {"a.py": "1"}},
        {"rubric": other_points(id="other")},
        {"rubric": other_points(points=4)},
        {"rubric": other_points(points=None, bonus=3)},
        {"rubric": other_points(dimension="d")},
        {"rubric": other_points(check=elsewhere(tmp_path))},
        {"loader": "others"},
    ]
    assert len({told(), *(told(**change) for change in changes)}) == len(changes) + 1


async def asynchronous(submission: object) -> None:
    assert submission


def generator(submission: object) -> Any:
    yield submission


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"rubric": []}, "rubric= must be a list of LoadedPoint, at least one"),
        ({"rubric": ["fizzes"]}, "rubric= must be a list of LoadedPoint"),
        ({"rubric": iter(())}, "rubric= must be a list of LoadedPoint"),
        ({"rubric": other_points(id="a b")}, "point 'a b' of task 'fizz' that rows loaded from .* letters, digits"),
        ({"rubric": other_points(id="pytest_generate_tests")}, "another meaning for pytest"),
        ({"rubric": other_points(points=None)}, "exactly one of points=, bonus=, cap= and penalty= .none given"),
        ({"rubric": other_points(bonus=1)}, "exactly one of .*points and bonus given"),
        ({"rubric": other_points(points=-1)}, "must be a number from 0 to"),
        ({"rubric": other_points(points=None, cap=2)}, "points=0 is worth nothing"),
        ({"rubric": other_points(title="two\nlines")}, "title= and dimension= must be printable"),
        ({"rubric": other_points(dimension="\ud800")}, "title= and dimension= must be printable"),
        ({"rubric": other_points(dimension=3)}, "title= and dimension= must be printable"),
        ({"rubric": other_points(check=None)}, "check=None is not a function"),
        ({"rubric": other_points(check=functools.partial(check, 1))}, "is not a function"),
        ({"rubric": other_points(check=asynchronous)}, "async or has a yield"),
        ({"rubric": other_points(check=generator)}, "async or has a yield"),
        ({"rubric": other_points() * 2}, "both have the rubric name 'fizzes'"),
        ({"fingerprint": None}, "fingerprint= must be a text"),
        ({"fingerprint": "half \ud800"}, "fingerprint= must be a text"),
        ({"prompt_text": " "}, "prompt_text= is the prompt itself"),
        ({"prompt_text": "half \udc00"}, "prompt_text= is the prompt itself"),
        ({"files": ["../out"]}, "plain names inside the workspace"),
        ({"files": []}, "needs files="),
        ({"starter": {"../out": ""}}, r"starter= has '\.\./out'"),
        ({"starter": {1: ""}}, "starter= has 1"),
        ({"starter": {"a": b""}}, "starter= must be a mapping"),
        ({"starter": ["a"]}, "starter= must be a mapping"),
        ({"data": "nowhere"}, "data='nowhere' is not a folder"),
        ({"suite": "a/b"}, 'suite="..." is a name'),
        ({"toolchains": "node"}, "toolchains= of task 'fizz' .* must be a list of names"),
        ({"turns": 2}, "turns=2 or more requires feedback="),
        ({"floor": 9}, "floor=9 is above points=4"),
        ({"budget_s": 0}, "budget_s=0 leaves no time"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_told_with_task_and_path(tmp_path: Path, changed: dict[str, Any], match: str) -> None:
    refused(tmp_path, match, **changed)


@pytest.mark.parametrize("wrong", [None, {"id": "fizz"}, task(id="Human/0"), task(id=3), task(id="x" * 200)])
def test_what_is_no_task_or_has_no_id(wrong: object) -> None:
    with pytest.raises(TaskError, match=r"^rows loaded a\.jsonl: .*(is not a task|needs id=)"):
        checked_id(wrong, "rows loaded a.jsonl")


class Rows:
    name = "rows"

    def load(self, path: Path) -> list[LoadedTask]:
        return []


def test_the_registry_of_loaders() -> None:
    assert list(loader_registry([("p", Rows())])) == ["rows"]
    loud = type("Loud", (Rows,), {"name": "LOUD"})()
    nameless = type("Nameless", (), {"load": Rows.load})()
    stiff = type("Stiff", (Rows,), {"load": 1})()
    for entries, match in (
        ([("p", Rows)], "plugin p: .* is not a loader: it is a class, give an object of it"),
        ([("p", "rows")], "plugin p: 'rows' is not a loader: it lacks name, load"),
        ([("p", nameless)], "it lacks name"),
        ([("p", stiff)], "its load cannot be called"),
        ([("p", loud)], "'LOUD' cannot be the name of a loader"),
        ([("p", Rows()), ("p", Rows())], "plugin p: registers two of the loader 'rows'"),
        ([("p", Rows()), ("q", Rows())], "plugins p and q: both register a loader 'rows'"),
        ([("p", Rows()), (OURS, Rows())], "plugin p: the loader 'rows' has a name of llmbench's own"),
    ):
        with pytest.raises(OptionError, match=match):
            loader_registry(entries)
