"""The pages of ``docs/`` say what the code says: options, error kinds, fields, arguments, rooms."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from test_layers import LAYERS, PACKAGE, SUB_ROOMS, TOP

import pytest_llmbench
from pytest_llmbench import toolchains
from pytest_llmbench.attempts.submission import Submission
from pytest_llmbench.catalog.rubric import POINT_KINDS, RUBRIC_KEYS
from pytest_llmbench.catalog.task import TASK_KEYS
from pytest_llmbench.grading.score import score_attempt
from pytest_llmbench.llm.discovery.model_names import ServedModel, match
from pytest_llmbench.llm.discovery.servers import PORTS, PORTS_VARIABLE
from pytest_llmbench.llm.failures.retry import RetryPolicy, can_pass
from pytest_llmbench.plugin import hookspecs
from pytest_llmbench.plugin.author import fixtures
from pytest_llmbench.plugin.author.source import SourceFile
from pytest_llmbench.plugin.options.settings import OPTIONS
from pytest_llmbench.sandbox.registry import AUTO, OWN_BACKENDS
from pytest_llmbench.sandbox.supervise.watchdog import FIRST_LOOK_S, LOOK_EVERY_S
from pytest_llmbench.schema.attempt import Completion, ErrorKind, Failure, ItemRecord
from pytest_llmbench.schema.builtin import BUILTINS
from pytest_llmbench.schema.execution import CallResult, ExecResult, Limits, TestRun
from pytest_llmbench.schema.plan import Criterion, TaskCard
from pytest_llmbench.schema.results import SCHEMA_VERSION, AttemptResult, AttemptStatus, Results
from pytest_llmbench.schema.settings import CacheMode
from pytest_llmbench.toolchains.caches.store import VARIABLE as CACHE_VARIABLE

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))
BLOCK = re.compile(r"^(`{3,}).*?^\1$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (REPOSITORY / "docs" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"no heading {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without the heads."""
    lines = text.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("| ---")}
    return [
        [cell.strip() for cell in line[1:-1].split("|")]
        for number, line in enumerate(lines)
        if line.startswith("| ") and number not in heads and number - 1 not in heads
    ]


def names(text: str) -> list[str]:
    """Every name in backquotes in the first column of tables."""
    return [name for row in rows(text) for name in re.findall(r"`([^`]+)`", row[0])]


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_has_its_row(option: Any) -> None:
    help_text, _, default = option.help.removesuffix(")").partition(" (default: ")
    found = [row for row in rows(section(page("options.md"), "## All options")) if f"`{option.variable}`" in row[1]]
    assert len(found) == 1
    flag, variable, ini, shown_default, meaning = found[0]
    assert flag == (f"`{option.flag}`" if option.switch else f"`{option.flag}={option.metavar}`")
    assert (variable, ini) == (f"`{option.variable}`", f"`{option.dest}`")
    assert meaning == help_text
    if default:
        assert shown_default == default
    if option.many:
        assert "may be repeated or comma-separated" in meaning


def test_no_option_is_told_that_is_none() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    known = {option.flag for option in OPTIONS}
    assert set(re.findall(r"--llm-[a-z-]*[a-z]", text)) <= known
    variables = {option.variable for option in OPTIONS} | {PORTS_VARIABLE, CACHE_VARIABLE}
    assert set(re.findall(r"LLMBENCH_[A-Z_]+", text)) <= variables


def test_every_value_of_an_option_is_told() -> None:
    table = "\n".join(" ".join(row) for row in rows(section(page("options.md"), "## All options")))
    for value in (*get_args(CacheMode), AUTO, *(backend.name for backend in OWN_BACKENDS)):
        assert value in table
    for value in ("refresh", "only", "off"):
        assert f"`{value}`" in page("options.md")


def test_how_names_are_looked_up() -> None:
    text = section(page("options.md"), "## How a model's name is looked up")
    for told in (*map(str, PORTS), PORTS_VARIABLE, *BUILTINS):
        assert told in text
    assert match("gpt-oss-20b", [ServedModel("ggml-org/gpt-oss-20b-GGUF")])
    assert not match("gpt-4", [ServedModel("gpt-4o")])


# -- results ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_error_has_cause_remedy_and_what_is_sent_again() -> None:
    table = {row[0].strip("`"): row[1:] for row in rows(section(page("results.md"), "## Kinds of errors"))}
    assert list(table) == list(get_args(ErrorKind))
    for kind, (cause, remedy, again) in table.items():
        assert cause
        assert remedy
        statuses = [None, 200, 400, 404, 408, 429, *range(500, 530)]
        passing = [s for s in statuses if can_pass(Failure(kind=kind, message="", http_status=s))]  # type: ignore[arg-type]  # a kind
        assert ("yes" in again) == bool(passing), kind
        if kind == "server_error":
            assert set(re.findall(r"5\d\d", again)) == {str(status) for status in passing} - {"200"}


def test_the_pauses_are_those_of_the_policy() -> None:
    policy = RetryPolicy()
    text = " ".join(section(page("results.md"), "## Kinds of errors").split())
    assert f"up to {policy.tries} sendings" in text
    assert f"about {policy.wait_s:g} s and {policy.wait_s * 2:g} s" in text
    assert f"at most {policy.retry_after_max_s:g} s" in text
    assert f"up to {policy.loading_s / 60:g} minutes" in text


def test_every_status_has_its_row() -> None:
    assert set(names(section(page("results.md"), "## What an attempt can be"))) >= set(get_args(AttemptStatus))


def models_in(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all that its fields hold."""
    yield kind
    for field in kind.model_fields.values():
        waiting = [field.annotation]
        while waiting:
            each = waiting.pop()
            waiting += [part for part in get_args(each) if part is not NoneType]
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from models_in(each)


CONTRACT = {kind.__name__: kind for kind in (*models_in(Results), Criterion)}


@pytest.mark.parametrize("kind", CONTRACT)
def test_every_field_of_results_has_its_row(kind: str) -> None:
    told = names(section(page("results.md"), f"### `{kind}`"))
    inherited = CONTRACT["LeaderboardRow"].model_fields if kind == "IncompleteRow" else {}
    assert sorted(told) == sorted(set(CONTRACT[kind].model_fields) - set(inherited))


def test_the_schema_version_and_reserved_fields() -> None:
    text = page("results.md")
    assert f"Schema version {SCHEMA_VERSION}." in text
    unset = AttemptResult(task="t", model="m", epoch=1, status="scored", points=0, max_points=0)
    assert (unset.iterations, unset.phases, unset.cost_usd) == (None, [], None)


@pytest.mark.parametrize("row", rows(section(page("results.md"), "## How a score comes about")), ids=lambda r: r[0])
def test_the_example_of_a_score(row: list[str]) -> None:
    """Ten points: code 6, tests 4 in parts of one."""
    criteria = [
        Criterion(id="code", kind="points", value=6, max_points=6, dimension="code"),
        *(Criterion(id=f"t{n}", kind="points", value=1, max_points=1, dimension="tests") for n in range(4)),
        Criterion(id="cap", kind="cap", value=3, max_points=0),
        Criterion(id="inside", kind="penalty", value=3, max_points=0, dimension="tests"),
        Criterion(id="whole", kind="penalty", value=3, max_points=0),
    ]
    earned, other, score = row[0], row[1], float(row[2])
    tests = int(match_[1]) if (match_ := re.search(r"tests (\d)", earned)) else 0
    missed = {f"t{n}" for n in range(tests, 4)} | ({"code"} if "code" not in earned else set())
    missed |= {"cap"} if "cap" in other else {"inside"} if "in `tests`" in other else {"whole"} if other else set()
    task = TaskCard(
        id="t", suite="s", points=10, floor=1, files=("a",), messages=(), criteria=tuple(criteria), fingerprint=""
    )
    records = [
        ItemRecord(task="t", model="m", epoch=1, point=c.id, outcome="missed" if c.id in missed else "earned")
        for c in criteria
    ]
    assert score_attempt(task, records, {c.id: ("",) for c in criteria}).points == score


# -- tasks -----------------------------------------------------------------------------------------------------------


def test_every_argument_of_the_markers_has_its_row() -> None:
    text = page("tasks.md")
    assert sorted(names(section(text, "## The marker `llm_task`"))) == sorted(TASK_KEYS)
    assert sorted(names(section(text, "## The marker `rubric`"))) == sorted(RUBRIC_KEYS)
    assert set(POINT_KINDS) <= set(names(text))


def test_every_toolchain_is_told() -> None:
    (row,) = [row for row in rows(section(page("tasks.md"), "## The marker `llm_task`")) if row[0] == "`toolchains`"]
    assert tuple(re.findall(r"`([a-z]+)`", row[1])) == toolchains.names()


def test_every_fixture_and_public_name_is_told() -> None:
    text = section(page("tasks.md"), "## Fixtures")
    functions = [node.name for node in ast.parse(inspect.getsource(fixtures)).body if isinstance(node, ast.FunctionDef)]
    assert sorted(names(text.partition("### ")[0])) == sorted(set(functions) - {"llm_attempt"})
    known = (
        text + section(page("tasks.md"), "## A kit for graders") + section(page("tasks.md"), "## A miss, and an error")
    )
    for name in pytest_llmbench.__all__:
        assert re.search(rf"`{name}[`(\[]", known), name


@pytest.mark.parametrize("kind", [ExecResult, CallResult, TestRun])
def test_every_field_of_what_a_sandbox_gives(kind: Any) -> None:
    table = next(part for part in page("tasks.md").split("\n\n") if part.startswith(f"| `{kind.__name__}` |"))
    expected = {field.name for field in dataclasses.fields(kind)} | (set() if kind is CallResult else {"ok"})
    assert set(names(table)) - {kind.__name__} == expected


def test_every_limit_with_its_default() -> None:
    told = {row[0].strip("`"): float(row[1]) for row in rows(section(page("tasks.md"), "### `Limits`"))}
    assert told == dataclasses.asdict(Limits())


@pytest.mark.parametrize(("kind", "heading"), [(Submission, "submission"), (Completion, "completion")])
def test_what_a_fixture_is_said_to_have_is_there(kind: Any, heading: str) -> None:
    text = section(page("tasks.md"), "## Fixtures")
    (row,) = [row for row in rows(text) if row[0] == f"`{heading}`"]
    fields = set(getattr(kind, "model_fields", None) or {field.name for field in dataclasses.fields(kind)})
    assert set(re.findall(r"`([a-z_]+)`", row[1])) <= fields | {"no_code", "results"}


def test_what_source_is_said_to_have_is_there() -> None:
    text = section(page("tasks.md"), "### `source(name)`")
    for name in re.findall(r"(?:\"\)|`)\.([a-z_]+)", text):
        assert hasattr(SourceFile, name), name


def test_the_task_of_the_page_is_the_example() -> None:
    text = page("tasks.md")
    for file in ("test_slug.py", "replies/slug.md"):
        assert (REPOSITORY / "examples/own_task" / file).read_text(encoding="utf-8") in text


# -- extending -------------------------------------------------------------------------------------------------------


def test_every_hook_has_its_row_and_says_all_that_its_users_need() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("pytest_")}
    assert names(page("extending.md").partition("\n## ")[0]) == list(hooks)
    for name, hook in hooks.items():
        told = " ".join(str(hook.__doc__).split())
        for argument in inspect.signature(hook).parameters:
            assert f":param {argument}:" in told, name
        assert "Called " in told, name
        assert re.search(r"\bAn exception\b", told), name
        returns_nothing = inspect.signature(hook).return_annotation == "None"
        assert returns_nothing or ":returns:" in told, name


# -- all pages -------------------------------------------------------------------------------------------------------


def test_every_room_is_in_the_picture_and_in_the_table() -> None:
    text = section(page("design.md"), "## Rooms")
    (picture,) = [block.group() for block in BLOCK.finditer(text)]
    layers = re.split(r"^ +-+$", picture, flags=re.MULTILINE)
    for room, layer in LAYERS.items():
        assert re.search(rf"(?<!\w){room}(?!\w)", layers[TOP - layer]), f"{room} is not in layer {layer} of the picture"
    rooms, inner = text.split("Four rooms have rooms in them")
    assert sorted(names(rooms)) == sorted(LAYERS)
    there = {f"{outer}/{path.name}" for outer in SUB_ROOMS for path in (PACKAGE / outer).iterdir() if path.is_dir()}
    without_code = {f"{outer}/__pycache__" for outer in SUB_ROOMS} | {"sandbox/drivers", "sandbox/etc"}
    assert {name for name in names(inner) if "/" in name} - {"plugin/__init__"} == there - without_code


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", BLOCK.sub("", path.read_text(encoding="utf-8"))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        other = path.parent / name if name else path
        assert other.is_file(), target
        assert not anchor or anchor in anchors(other.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("path", [*PAGES, REPOSITORY / "CHANGELOG.md"], ids=lambda path: path.name)
def test_pages_are_plain(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/work\b|/root\b|/home/", text), "a path of one machine"
    lines = list(enumerate(text.splitlines(), 1))
    assert not [number for number, line in lines if line != line.rstrip()], "these lines end in a blank"
    assert not [number for number, line in lines if len(line) > 120 and line[0] != "|"], "these lines are too long"


@pytest.mark.parametrize("name", ["options.md", "reports.md"])
def test_generated_tables_are_as_the_code_has_them(name: str) -> None:
    """``make docs`` writes them."""
    filled = runpy.run_path(str(REPOSITORY / "docs/generate.py"))["filled"]
    assert "<!-- generated: " in page(name)
    assert filled(page(name)) == page(name)


def test_how_often_the_watchdog_looks() -> None:
    text = " ".join(page("security.md").split())
    assert f"the first time after {FIRST_LOOK_S * 1000:g} ms, then every {LOOK_EVERY_S * 1000:g} ms" in text
