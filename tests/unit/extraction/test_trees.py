"""Trees within bounds: whatever a stranger wrote, looking at all of it stays cheap."""

from __future__ import annotations

import ast
import time

import pytest

from pytest_llmbench.extraction.trees import (
    MOST_CHARACTERS,
    MOST_DEPTH,
    MOST_NODES,
    TooLargeError,
    parsed,
    parsed_python,
    with_parents,
)


def nested(language: str, levels: int) -> str:
    """Code whose tree has about so many levels."""
    return {
        "python": "x = " + "-" * levels + "1\n",
        "javascript": "x = " + "!" * levels + "1\n",
        "typescript": "x = " + "!" * levels + "1\n",
        "go": "package main\nvar x = " + "!" * levels + "true\n",
        "rust": "fn main() { let x = " + "!" * levels + "true; }\n",
    }[language]


@pytest.mark.parametrize("language", ["python", "javascript", "typescript", "go", "rust"])
def test_depth_is_bounded_and_what_is_below_is_whole(language: str) -> None:
    deep = MOST_DEPTH - 12
    assert sum(1 for _ in with_parents(parsed(nested(language, deep), language))) > deep
    with pytest.raises(TooLargeError, match=f"nested more than {MOST_DEPTH} levels"):
        parsed(nested(language, MOST_DEPTH), language)
    with pytest.raises(TooLargeError, match=f"nested more than {MOST_DEPTH} levels"):
        parsed(nested(language, 90_000), language)


def test_python_s_own_tree_is_bounded_too() -> None:
    assert isinstance(parsed_python(nested("python", MOST_DEPTH - 10)), ast.Module)
    with pytest.raises(TooLargeError, match="nested more than"):
        parsed_python(nested("python", MOST_DEPTH))
    with pytest.raises(SyntaxError, match="nested too deeply for Python"):
        parsed_python(nested("python", 90_000))
    with pytest.raises(TooLargeError, match="nodes"):
        parsed_python("a;" * (MOST_CHARACTERS // 2))
    with pytest.raises(TooLargeError, match="characters"):
        parsed_python("#" * (MOST_CHARACTERS + 1))


def test_nodes_and_characters_are_bounded() -> None:
    with pytest.raises(TooLargeError, match=f"more than {MOST_NODES:,} syntax nodes"):
        parsed("a;" * (MOST_CHARACTERS // 2), "javascript")
    assert parsed("//" + "x" * (MOST_CHARACTERS - 2), "javascript").kind() == "program"
    with pytest.raises(TooLargeError, match=f"has {MOST_CHARACTERS + 1:,} characters"):
        parsed("x" * (MOST_CHARACTERS + 1), "javascript")


def test_each_node_comes_with_the_one_above_it() -> None:
    root = parsed("f(a, g(b))", "javascript")
    pairs = list(with_parents(root))
    assert [node.text() for node, above in pairs if above.kind() == "arguments" and node.is_named()] == [
        "a",
        "g(b)",
        "b",
    ]
    for node, above in pairs:
        parent = node.parent()
        assert parent is not None
        assert (parent.kind(), parent.range()) == (above.kind(), above.range())


@pytest.mark.parametrize("unit", ["a+", "a.", "a(", "a==", ".split(a)", "!", "a=>", "`${", "[", "x?", "{", "a,"])
def test_the_texts_of_all_nodes_together_are_bounded(unit: str) -> None:
    text = "a" + unit * ((MOST_CHARACTERS - 2) // len(unit)) + "a"
    began = time.thread_time()
    try:
        root = parsed(text, "javascript")
    except TooLargeError:
        characters = 0
    else:
        characters = sum(len(node.text()) for node, _ in with_parents(root))
    assert characters <= MOST_DEPTH * MOST_CHARACTERS
    assert time.thread_time() - began < 5, "well below one second on a quick machine"
