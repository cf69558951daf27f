"""What the source says without being run: how it chooses, where it mentions ``Counter``, what its hints are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeGuard

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


def definition(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """The function that a name of a module stands for; None when there is none to be seen.

    What the module itself binds to the name counts first, also when that is another name, a method or an object that
    can be called. Only then does a function of that name count wherever it stands: a factory may have made it.
    """
    own = _bindings(tree)
    node, met = own.get(name), set()
    while isinstance(node, ast.Name) and node.id not in met:
        met.add(node.id)
        node = own.get(node.id)
    match node:
        case ast.FunctionDef():
            return node
        case ast.Attribute(value=value, attr=attr):
            found = _method(tree, own, value, attr)
        case ast.Call():
            found = _method(tree, own, node, "__call__")
        case _:
            found = None
    return found or next((each for each in ast.walk(tree) if _is_function(each, name)), None)


def _bindings(tree: ast.Module) -> dict[str, ast.AST]:
    """What a module binds its names to, the last of several: definitions as they are, of assignments the value."""
    own: dict[str, ast.AST] = {}
    for node in _of_scope(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                own[name] = node
            case ast.Assign(targets=targets, value=value):
                own.update((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                own[name] = value
    return own


def _of_scope(node: ast.AST) -> Iterator[ast.AST]:
    """All that lies in the scope of a node, nothing of the scopes within."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield from _of_scope(child)


def _method(tree: ast.Module, own: dict[str, ast.AST], value: ast.AST, name: str) -> ast.FunctionDef | None:
    """A method of a class or an instance; one of another class, perhaps its base, where its own has none."""
    node: ast.AST | None = value
    for _ in range(3):  # a name of an instance, which is a call of a name, which is a class
        match node:
            case ast.Name(id=other):
                node = own.get(other)
            case ast.Call(func=function):
                node = function
    classes = [each for each in (node, *ast.walk(tree)) if isinstance(each, ast.ClassDef)]
    return next((each for one in classes for each in one.body if _is_function(each, name)), None)


def _is_function(node: ast.AST, name: str) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name == name


def parameters(function: ast.FunctionDef) -> list[ast.arg]:
    """The parameters that a caller fills: not the object that a method belongs to."""
    arguments = function.args
    stars = [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    places = [*arguments.posonlyargs, *arguments.args]
    bound = places[:1] if places and places[0].arg in ("self", "cls") else []
    return [*places[len(bound) :], *arguments.kwonlyargs, *stars]


def says_elements(hint: ast.expr) -> bool:
    """Whether a hint is more than the bare name of a container; a hint in quotes counts as what it quotes."""
    match hint:
        case ast.Constant(value=str(text)):
            return "[" in text
        case ast.Name(id=name) | ast.Attribute(attr=name):
            bare = {"list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "tuple", "Any", "object"}
            return name not in bare
    return True
