"""Markers and the files beside them: what is read, and what each wrong use is told."""

from __future__ import annotations

import math
import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.catalog.prompt import full_prompt
from pytest_llmbench.catalog.rubric import read_rubric_point
from pytest_llmbench.catalog.task import read_task
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.task import RubricPoint, Task

WRONG_NUMBERS = ["4", None, True, math.nan, math.inf, -math.inf, -1, -0.5, [4], 4j, 10**400]


def point(name: str = "a", *, function: str = "test_a", **kwargs) -> RubricPoint:
    return read_rubric_point((name,), kwargs or {"points": 4}, function=function)


class Folder:
    """A task folder with a module and a prompt."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.module = self.write("test_fizz.py", "# tests\n")
        self.write("prompt.md", "Write fizz, please.\n")

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def read(self, *args, rubric=None, **kwargs) -> Task:
        """The task of a right marker with some arguments changed; ``...`` takes one away."""
        marker = {"id": "fizz", "points": 4, "files": ["fizz.py"]} | kwargs
        marker = {name: value for name, value in marker.items() if value is not ...}
        return read_task(self.module, args, marker, [point()] if rubric is None else rubric)

    def refuses(self, match: str, *args, rubric=None, **kwargs) -> None:
        """The marker is refused in one line that names the module or a file beside it, and matches."""
        with pytest.raises(TaskError, match=match) as caught:
            self.read(*args, rubric=rubric, **kwargs)
        assert str(self.root) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.fixture
def folder(tmp_path) -> Folder:
    root = tmp_path / "project" / "benchmarks" / "mine" / "tasks" / "fizz"
    root.mkdir(parents=True)
    return Folder(root)


# -- rubric markers --------------------------------------------------------------------------------------------------


def test_a_rubric_point_is_read():
    kwargs = {"points": 4, "dimension": "tests", "all_cases": True}
    found = read_rubric_point(("in-order",), kwargs, function="TestFizz::test_order", title="Title.")
    assert found == RubricPoint(
        id="in-order",
        kind="points",
        value=4.0,
        function="TestFizz::test_order",
        dimension="tests",
        all_cases=True,
        title="Title.",
    )


@pytest.mark.parametrize(
    ("kind", "value", "most"), [("points", 4, 4), ("bonus", 0.5, 0.5), ("cap", 12, 0), ("cap", 0, 0), ("penalty", 3, 0)]
)
def test_each_kind_of_point(kind, value, most):
    found = point(**{kind: value})
    assert (found.kind, found.value, found.max_points) == (kind, value, most)


@pytest.mark.parametrize(
    "args", [(), ("a", "b"), (4,), (None,), ("",), ("two words",), ("-a",), ("a/b",), ("a" * 101,), ("ä",), ("a\n",)]
)
def test_a_rubric_name_is_one_plain_name(args):
    with pytest.raises(TaskError, match=r"rubric of test_a needs one name.*@pytest\.mark\.rubric\(\"") as caught:
        read_rubric_point(args, {"points": 4}, function="test_a")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["points", "bonus", "cap", "penalty"])
@pytest.mark.parametrize("value", WRONG_NUMBERS, ids=lambda v: str(v)[:10])
def test_a_points_value_is_a_sensible_number(kind, value):
    with pytest.raises(TaskError, match=rf"{kind}= of @pytest\.mark\.rubric of test_a is .*must be a number"):
        point(**{kind: value})


@pytest.mark.parametrize("kind", ["points", "bonus", "penalty"])
def test_a_point_worth_nothing_is_refused(kind):
    with pytest.raises(TaskError, match=rf"test_a: {kind}=0 is worth nothing\. Give a number above 0 or remove"):
        point(**{kind: 0})


@pytest.mark.parametrize(
    ("kwargs", "kinds"),
    [
        ({"dimension": "x"}, "none"),
        ({"points": 4, "cap": 3}, "points and cap"),
        ({"bonus": 1, "penalty": 1}, "bonus and"),
    ],
)
def test_a_point_is_of_exactly_one_kind(kwargs, kinds):
    with pytest.raises(TaskError, match=rf"test_a needs exactly one of points=.*{kinds}.* given"):
        point(**kwargs)


def test_an_unknown_rubric_argument_names_a_near_one():
    with pytest.raises(TaskError, match=r"rubric of test_a has no argument point=; did you mean points=\?"):
        point(point=4)


def test_an_unknown_rubric_argument_unlike_any_names_all():
    with pytest.raises(
        TaskError, match=r"no argument zzz=; it takes points, bonus, cap, penalty, dimension, all_cases"
    ):
        point(points=4, zzz=1)


@pytest.mark.parametrize("kwargs", [{"dimension": 3}, {"dimension": None}, {"all_cases": "yes"}, {"all_cases": 1}])
def test_dimension_and_all_cases_have_their_types(kwargs):
    with pytest.raises(TaskError, match=r"test_a: dimension= is a name and all_cases= is True or False"):
        point(points=4, **kwargs)


# -- task markers ----------------------------------------------------------------------------------------------------


def test_a_task_is_read(folder):
    found = folder.read(suite="six", floor=1, toolchains=["node"])
    assert (found.id, found.suite, found.points, found.floor) == ("fizz", "six", 4, 1)
    assert (found.prompt, found.files, found.toolchains) == ("Write fizz, please.\n", ("fizz.py",), ("node",))
    assert (found.module, found.rubric, found.starter, found.data) == (folder.module, (point(),), {}, None)
    assert re.fullmatch("[0-9a-f]{64}", found.fingerprint)


def test_a_task_takes_named_arguments_only(folder):
    folder.refuses(r"takes named arguments only: llm_task\(id=", "fizz")


@pytest.mark.parametrize("task_id", [..., None, "", 4, "a b", "../x", ".hidden", "a\n", "x" * 101])
def test_a_task_needs_a_plain_id(folder, task_id):
    folder.refuses(r'needs id="\.\.\." of letters', id=task_id)


@pytest.mark.parametrize("suite", [None, "", "a/b", 3])
def test_a_suite_is_a_plain_name(folder, suite):
    folder.refuses(r'suite="\.\.\." is a name of letters', suite=suite)


@pytest.mark.parametrize("name", ["points", "floor"])
@pytest.mark.parametrize("value", WRONG_NUMBERS, ids=lambda v: str(v)[:10])
def test_points_and_floor_are_sensible_numbers(folder, name, value):
    folder.refuses(rf"{name}= of .* is .*: it must be a number", **{name: value})


def test_points_must_be_given(folder):
    folder.refuses("points= of .* is None: it must be a number", points=...)


@pytest.mark.parametrize("rubric", [[], [point(cap=3)]], ids=["empty", "cap"])
def test_a_task_is_worth_something(folder, rubric):
    folder.refuses(r"points=0 is worth nothing", points=0, rubric=rubric)


def test_the_floor_is_at_most_the_points(folder):
    assert folder.read(floor=4).floor == 4
    assert folder.read(budget_s=0.5).budget_s == 0.5
    folder.refuses(r"budget_s=0 leaves no time for any test", budget_s=0)
    folder.refuses(r"budget_s= of .* is 'much'", budget_s="much")
    folder.refuses(r"floor=4\.5 is above points=4", floor=4.5)


@pytest.mark.parametrize(
    ("argument", "near"), [("file", "files"), ("tool_chains", "toolchains"), ("prompts", "prompt")]
)
def test_an_unknown_task_argument_names_a_near_one(folder, argument, near):
    folder.refuses(rf"has no argument {argument}=; did you mean {near}=\?", **{argument: "x"})


def test_the_points_are_the_sum_of_points_and_bonus(folder):
    kinds = {"a": {"points": 2}, "b": {"points": 1}, "c": {"bonus": 1}, "d": {"cap": 3}, "e": {"penalty": 2}}
    rubric = [point(name, **kind) for name, kind in kinds.items()]
    assert folder.read(rubric=rubric).rubric == tuple(rubric)
    folder.refuses(
        r"task 'fizz': the rubric's points sum to 3 and its bonus to 1, the marker says points=5\. Make points=",
        rubric=rubric,
        points=5,
    )


def test_decimal_points_may_sum_in_binary(folder):
    rubric = [point(name, points=0.1) for name in "abc"]
    assert folder.read(rubric=rubric, points=0.3).points == 0.3


def test_a_task_without_rubric_points_does_not_sum(folder):
    folder.refuses("the rubric's points sum to 0", rubric=[])


def test_two_points_of_one_name_are_refused_with_both_tests(folder):
    rubric = [point("same", function="test_one", points=2), point("same", function="test_two", points=2)]
    folder.refuses(r"test_one and test_two in .* both have the rubric name 'same'\. Rename one", rubric=rubric)


def test_a_penalty_needs_points_in_its_dimension(folder):
    tests = point("a", points=4, dimension="tests")
    lonely = point("b", penalty=1, dimension="test", function="test_b")
    folder.refuses(r"test_b in .* is a penalty in dimension 'test', which has no points", rubric=[tests, lonely])
    assert folder.read(rubric=[tests, point("b", penalty=1, dimension="tests")])
    assert folder.read(rubric=[tests, point("b", penalty=1)])


@pytest.mark.parametrize("files", [..., None, [], ()])
def test_files_must_be_named(folder, files):
    folder.refuses(r'needs files=\["\.\.\."\]', files=files)


@pytest.mark.parametrize("files", ["fizz.py", 4, [4], [""], {"a": 1}, [None]])
def test_files_are_a_list_of_names(folder, files):
    folder.refuses(r'must be a list of names, such as \["', files=files)


@pytest.mark.parametrize(
    "name",
    ["..", "../x", "a/../b", "/etc/passwd", "a\\b", "./a", "a//b", "a/", ".", "a\0b", "a\nb", "a\x1b[31m"],
)
def test_files_stay_inside_the_workspace(folder, name):
    folder.refuses(r"files= has .*; give plain names inside the workspace, such as src/main\.rs", files=["ok.py", name])


def test_a_file_is_named_once(folder):
    folder.refuses(r"files= has 'a\.py' twice", files=["a.py", "b.py", "a.py"])


@pytest.mark.parametrize("toolchains", ["node", [3], [""], {"node"}, None])
def test_toolchains_are_a_list_of_names(folder, toolchains):
    folder.refuses(r"toolchains= of .* must be a list of names", toolchains=toolchains)


# -- prompt ----------------------------------------------------------------------------------------------------------


def test_the_prompt_may_have_another_name(folder):
    folder.write("ask.md", "Fizz?")
    assert folder.read(prompt="ask.md").prompt == "Fizz?"


def test_the_prompt_may_stand_in_the_marker(folder):
    assert folder.read(prompt_text="Write fizz.").prompt == "Write fizz."


@pytest.mark.parametrize("text", ["", " \n", 3, None])
def test_a_prompt_text_is_a_text(folder, text):
    folder.refuses(r"prompt_text= is the prompt itself, a text", prompt_text=text)


def test_one_prompt_is_enough(folder):
    folder.refuses(r"takes the place of prompt=", prompt_text="Write fizz.", prompt="prompt.md")


def test_a_missing_prompt_names_the_file(folder):
    (folder.root / "prompt.md").unlink()
    folder.refuses(r"prompt\.md does not exist: the prompt of .*\. Write it, or name another file")


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_an_empty_prompt_is_refused(folder, text):
    folder.write("prompt.md", text)
    folder.refuses(r"prompt\.md is empty: write there what the model is asked to do")


@pytest.mark.parametrize("prompt", [3, None, ["prompt.md"]])
def test_a_prompt_is_a_file_name(folder, prompt):
    folder.refuses(r"prompt= is the name of a file beside the module", prompt=prompt)


@pytest.mark.parametrize("prompt", ["", "sub", "a\0b"])
def test_a_prompt_that_is_no_file_is_refused(folder, prompt):
    (folder.root / "sub").mkdir()
    folder.refuses("cannot be read as UTF-8 text", prompt=prompt)


def test_a_prompt_is_utf8(folder):
    folder.write("prompt.md", "Fu\u00df".encode("latin-1"))
    folder.refuses(r"prompt\.md \(the prompt of .*cannot be read as UTF-8 text")


def test_a_prompt_has_a_sensible_size(folder):
    folder.write("prompt.md", "x" * 2_000_001)
    folder.refuses(r"prompt\.md .* is larger than 2000000 bytes")


# -- data folder and starter -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", range(5))
def test_the_data_folder_is_looked_for_upwards(folder, levels):
    data = folder.module.parents[levels] / "fixtures" / "fizz"
    (data / "starter").mkdir(parents=True)
    (data / "starter" / "fizz.py").write_text("def fizz(): ...\n")
    found = folder.read()
    assert found.data == data.resolve()
    assert found.starter == {"fizz.py": "def fizz(): ...\n"}


def test_the_data_folder_is_not_looked_for_everywhere(folder):
    (folder.module.parents[5] / "fixtures" / "fizz").mkdir(parents=True)
    assert folder.read().data is None


def test_the_nearest_data_folder_is_taken(folder):
    for above in (folder.root, folder.root.parent):
        (above / "fixtures" / "fizz").mkdir(parents=True)
    assert folder.read().data == (folder.root / "fixtures" / "fizz").resolve()


def test_the_data_folder_of_another_task_is_not_taken(folder):
    (folder.root / "fixtures" / "buzz").mkdir(parents=True)
    assert folder.read().data is None


def test_the_data_folder_may_be_named(folder):
    (folder.root.parent / "data").mkdir()
    assert folder.read(data="../data").data == (folder.root.parent / "data").resolve()


@pytest.mark.parametrize("data", ["gone", "prompt.md", 3, "", True, "a\0b"])
def test_a_named_data_folder_must_be_one(folder, data):
    folder.refuses(r"data=.* is not a folder \(relative to .*\)", data=data)


def test_the_starter_is_read_with_its_folders_in_order(folder):
    for name in ("b.py", "a/z.py", "a/b.py", "__pycache__/b.cpython-312.pyc"):
        folder.write(f"fixtures/fizz/starter/{name}", f"# {name}")
    assert list(folder.read().starter.items()) == [("a/b.py", "# a/b.py"), ("a/z.py", "# a/z.py"), ("b.py", "# b.py")]


def test_a_starter_file_is_text(folder):
    folder.write("fixtures/fizz/starter/logo.png", b"\x89PNG\xff")
    folder.refuses(r"logo\.png \(a starter file\) cannot be read as UTF-8 text")


# -- the full prompt -------------------------------------------------------------------------------------------------


def test_starter_files_follow_the_prompt_in_fences(folder):
    folder.write("fixtures/fizz/starter/fizz.py", "def fizz(): ...\n\n")
    folder.write("fixtures/fizz/starter/Makefile", "all:\n\ttrue\n")
    assert full_prompt(folder.read()) == textwrap.dedent("""\
        Write fizz, please.

        ### `Makefile`

        ```
        all:
        \ttrue
        ```

        ### `fizz.py`

        ```py
        def fizz(): ...
        ```
        """)


def test_without_a_starter_the_prompt_is_all(folder):
    assert full_prompt(folder.read()) == "Write fizz, please.\n"


@given(st.lists(st.sampled_from(["`", "```", "`````", "a", "\n", " "]), max_size=30).map("".join))
def test_a_fence_is_longer_than_any_run_of_backticks_in_the_file(text):
    task = Task(
        id="t",
        suite="s",
        points=1,
        floor=0,
        prompt="Do it.",
        files=("a.md",),
        module=Path("test_t.py"),
        rubric=(),
        starter={"a.md": text},
    )
    block = full_prompt(task).partition("### `a.md`\n\n")[2]
    opening, _, rest = block.partition("\n")
    fence = opening.removesuffix("md")
    assert set(fence) == {"`"}
    assert rest == f"{text.rstrip()}\n{fence}\n"
    assert fence not in text


# -- fingerprint -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["prompt.md", "test_fizz.py", "probe.py", "fixtures/fizz/starter/fizz.py"])
def test_the_fingerprint_changes_with(folder, name):
    for each in ("probe.py", "fixtures/fizz/starter/fizz.py"):
        folder.write(each, "before\n")
    before = folder.read().fingerprint
    folder.write(name, "after\n")
    assert folder.read().fingerprint != before


@pytest.mark.parametrize(
    "name",
    ["__pycache__/probe.cpython-312.pyc", "fixtures/fizz/starter/__pycache__/x.pyc", ".test_fizz.py.swp", ".DS_Store"],
)
def test_the_fingerprint_does_not_change_with(folder, name):
    folder.write("fixtures/fizz/starter/fizz.py", "before\n")
    before = folder.read().fingerprint
    folder.write(name, b"\x00rubbish")
    assert folder.read().fingerprint == before


def test_the_fingerprint_does_not_hang_on_the_place(folder, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    assert Folder(other).read().fingerprint == folder.read().fingerprint


def test_a_new_or_renamed_probe_changes_the_fingerprint(folder):
    seen = {folder.read().fingerprint}
    probe = folder.write("probe.py", "same\n")
    seen.add(folder.read().fingerprint)
    probe.rename(folder.root / "other.py")
    seen.add(folder.read().fingerprint)
    assert len(seen) == 3


def test_with_the_prompt_in_the_marker_the_neighbours_do_not_count(folder):
    """Small tasks share a folder; one of them does not change with another."""
    before = folder.read(prompt_text="Write fizz.").fingerprint
    folder.write("test_buzz.py", "# another task\n")
    assert folder.read(prompt_text="Write fizz.").fingerprint == before
    folder.write("test_fizz.py", "# changed\n")
    assert folder.read(prompt_text="Write fizz.").fingerprint != before


# -- dependencies ----------------------------------------------------------------------------------------------------


def test_dependencies_are_part_of_the_fingerprint(folder):
    before = folder.read(data=".", toolchains=["cargo"]).fingerprint
    folder.write("dependencies/Cargo.toml", "[package]\n")
    folder.write("dependencies/Cargo.lock", "version = 4\n")
    folder.write("dependencies/node_modules/x.js", b"\xff")
    named = folder.read(data=".", toolchains=["cargo"]).fingerprint
    folder.write("dependencies/Cargo.lock", "version = 4 \n")
    assert len({before, named, folder.read(data=".", toolchains=["cargo"]).fingerprint}) == 3


@pytest.mark.parametrize(
    ("manifest", "lock", "toolchain"),
    [("Cargo.toml", "Cargo.lock", "cargo"), ("package.json", "package-lock.json", "node")],
)
def test_dependencies_need_their_lock_file_and_toolchain(folder, manifest, lock, toolchain):
    folder.write(f"dependencies/{manifest}", "{}")
    folder.refuses(rf"{manifest} is for {toolchain}, which is missing in toolchains=", data=".")
    folder.refuses(rf"{manifest} without {lock}, .*Run there: (cargo|npm) ", data=".", toolchains=[toolchain])
    folder.write(f"dependencies/{lock}", "{}")
    assert folder.read(data=".", toolchains=[toolchain]).toolchains == (toolchain,)
