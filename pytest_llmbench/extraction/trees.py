"""Syntax trees of a stranger's code, within bounds that keep any later look at them cheap. Parsers imported late.

Parsers are not what costs: the text of every node of ``a+a+a+...`` is the square of it, and so is the way from every
node up to the root. Up to a depth, both are a multiple of the text's length.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MOST_CHARACTERS = 100_000
"""Of one file: seven times the longest reference of the tasks that come along."""
MOST_DEPTH = 200
"""Levels of a tree, whose root is the first; minified programs have about 50."""
MOST_NODES = 100_000
"""Of a tree; written code has 20 to 40 for 100 characters."""

_Node = TypeVar("_Node")


class TooLargeError(ValueError):
    """Code beyond the bounds; the message says which, to stand behind the name of the file."""


def parsed(text: str, language: str) -> SgNode:
    """ast-grep's root node. Raises ``TooLargeError``; ``ValueError`` for lone surrogates, which are not text."""
    _check_length(text)
    from ast_grep_py import SgRoot

    root = SgRoot(text, language).root()
    _check_tree(root, lambda node: node.children())
    return root


def parsed_python(text: str) -> ast.Module:
    """Python's own tree.

    Raises ``TooLargeError``, and ``SyntaxError`` or ``ValueError`` for what is no Python, also where it is nested too
    deeply for Python itself.
    """
    _check_length(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape is the model's affair, whatever -W says
            tree = ast.parse(text)
    except (RecursionError, MemoryError) as error:
        raise SyntaxError(f"nested too deeply for Python: {error}") from error
    _check_tree(cast("ast.AST", tree), ast.iter_child_nodes)
    return tree


def with_parents(root: SgNode) -> Iterator[tuple[SgNode, SgNode]]:
    """Every node but the root, with the one above it: to ask each for its parent costs a way from the root."""
    level = [root]
    while level:
        pairs = [(child, node) for node in level for child in node.children()]
        yield from pairs
        level = [child for child, _ in pairs]


def _check_length(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise TooLargeError(f"has {len(text):,} characters; it is not parsed beyond {MOST_CHARACTERS:,}")


def _check_tree(root: _Node, children: Callable[[_Node], Iterable[_Node]]) -> None:
    """Level by level: going down a tree of any depth by recursion ends the process."""
    level, depth, nodes = [root], 0, 0
    while level:
        depth, nodes = depth + 1, nodes + len(level)
        if depth > MOST_DEPTH:
            raise TooLargeError(f"is nested more than {MOST_DEPTH} levels deep")
        if nodes > MOST_NODES:
            raise TooLargeError(f"has more than {MOST_NODES:,} syntax nodes")
        level = [child for node in level for child in children(node)]
