"""Looking into a submitted file: what cannot be looked into is a missed point with a reason."""

from __future__ import annotations

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.plugin.author.source import SourceFile, SourceFinder
from pytest_llmbench.plugin.runtest.cpu_budget import OverBudget
from pytest_llmbench.schema.languages import LANGUAGES


def test_patterns_rules_and_python() -> None:
    file = SourceFinder({"a.js": "f(1); g(f(2));\n"})("a.js")
    assert [node.text() for node in file.find_all("f($A)")] == ["f(1)", "f(2)"]
    assert len(file.find_all(kind="call_expression")) == 3
    assert SourceFile("a.py", "x = 1\n").python.body


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.js", "a" + "+a" * 40_000, "a.js is nested more than 200 levels deep"),
        ("a.js", "x" + ".split(a)" * 10_000, "a.js is nested more than 200 levels deep"),
        ("a.rs", "enum A{}" * 20_000, "a.rs has 160,000 characters; it is not parsed beyond 100,000"),
        ("a.go", "package main\nvar x = " + "-" * 9000 + "1", "a.go is nested more than 200 levels deep"),
        ("a.ts", "a;" * 49_000, "a.ts has more than 100,000 syntax nodes"),
    ],
)
def test_a_file_beyond_the_bounds_is_a_miss_that_says_so(name: str, text: str, reason: str) -> None:
    file = SourceFile(name, text)
    for look in (lambda: file.find_all("$A + $B"), lambda: file.find_all(kind="identifier"), lambda: file.root):
        with pytest.raises(OverBudget) as told:
            look()
        assert str(told.value) == f"over budget: {reason}"
        assert isinstance(told.value, pytest.fail.Exception)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a" + "+a" * 300, "over budget: a.py is nested more than 200 levels deep"),
        ("#" * 100_001, "over budget: a.py has 100,001 characters; it is not parsed beyond 100,000"),
        ("-" * 90_000 + "1", "a.py is not valid Python: nested too deeply for Python"),
        ("def", "a.py is not valid Python: invalid syntax"),
        ("\0", "a.py is not valid Python: source code string cannot contain null bytes"),
    ],
)
def test_python_s_tree_likewise(text: str, reason: str) -> None:
    with pytest.raises(pytest.fail.Exception) as told:
        _ = SourceFile("a.py", text).python
    assert str(told.value).startswith(reason)


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each.searchable], ids=lambda each: each.name)
def test_every_searchable_language_has_a_parser(language) -> None:
    for ending in language.endings:
        file = SourceFile(f"a.{ending}", "")
        assert file.language == language.name
        assert file.root.kind()


@pytest.mark.parametrize("name", ["a.md", "a.unknown", "Makefile", "py"])
def test_a_file_without_a_parser_is_the_task_s_fault(name: str) -> None:
    with pytest.raises(HarnessError, match=r"no parser for '.*'; known: \.py, \.pyi, .*\.hxx\.$"):
        _ = SourceFile(name, "").root
