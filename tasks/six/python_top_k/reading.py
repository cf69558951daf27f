"""What the source says without being run: how it chooses, where it mentions ``Counter``, what its hints are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from pytest_llmbench import shortened

_HEAPS = {"heapq", "nlargest", "nsmallest", "heappush", "heappop", "heapify", "heappushpop", "heapreplace"}
_SORTS = {"sorted", "sort"}
_INSERTS = {"bisect", "insort", "insort_left", "insort_right"}


def method(tree: ast.Module) -> str:
    """The first of the well-known ways that the code shows signs of."""
    nodes = list(ast.walk(tree))
    called = {_name(node.func) for node in nodes if isinstance(node, ast.Call)}
    named = called | {_name(node) for node in nodes} | {alias.name for node in nodes for alias in _aliases(node)}
    if any("pivot" in name or "partition" in name for name in named):
        return "quickselect"
    if any("bucket" in name for name in named) or any(map(_makes_empty_lists, nodes)):
        return "bucket-sort"
    if named & _HEAPS:
        return "heap"
    if named & _INSERTS:
        return "sorted-insertion"
    return "sort" if called & _SORTS else "other"


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name):
            return name
    return ""


def _aliases(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def _makes_empty_lists(node: ast.AST) -> bool:
    """``[[] for _ in ...]``: one bucket for each frequency."""
    return isinstance(node, ast.ListComp) and isinstance(node.elt, ast.List) and not node.elt.elts


def counter_mentions(tree: ast.Module) -> Iterator[Any]:
    """Where the standard library's ``Counter`` is imported, reached or named."""
    nodes = list(ast.walk(tree))
    own = {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        match node:
            case ast.ImportFrom(names=names) if any(alias.name == "Counter" for alias in names):
                yield node
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr="Counter"):
                pass
            case ast.Attribute(attr="Counter"):
                yield node
            case ast.Name(id="Counter") if "Counter" not in own:
                yield node
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value="Counter"), *_]):
                yield node


def written(node: ast.AST) -> str:
    """The source text of a part of a tree, as far as it can be written down."""
    try:
        return shortened(ast.unparse(node))
    except RecursionError:
        return "(nested too deeply to be shown)"


def parameters(function: ast.FunctionDef) -> list[ast.arg]:
    arguments = function.args
    stars = [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *stars]


def says_elements(hint: ast.expr) -> bool:
    """Whether a hint is more than the bare name of a container; a hint in quotes counts as what it quotes."""
    match hint:
        case ast.Constant(value=str(text)):
            return "[" in text
        case ast.Name(id=name) | ast.Attribute(attr=name):
            bare = {"list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "tuple", "Any", "object"}
            return name not in bare
    return True
