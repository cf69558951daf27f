"""Whether everything that a program does can be seen: which parts of its source could do something out of sight.

A probe that shares its process with the code that it watches can be talked out of anything, unless that code has no way
to reach it. So this goes by a list of what is known (``known.toml``), not of what is forbidden: a name, an attribute or
a module that is not known hides something. It is decided from the source alone, before any of it runs.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import tomllib
import unittest
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_KNOWN = tomllib.loads(Path(__file__).with_name("known.toml").read_text(encoding="utf-8"))
_MODULES = {module: frozenset(names.split()) for module, names in _KNOWN["modules"].items()}
_UNSEEN_OF = {module: frozenset(names.split()) for module, names in _KNOWN["unseen_of"].items()}
_UNSEEN = frozenset(_KNOWN["unseen"].split())
_SPECIAL = frozenset(_KNOWN["special"].split())
_REVEALING = frozenset(_KNOWN["revealing"].split())
_EXCEPTIONS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
_BUILTINS = _EXCEPTIONS.union(_KNOWN["builtins"].split())
_TYPES = (list, dict, set, frozenset, str, bytes, int, float, tuple, range, property)
_ATTRIBUTES = frozenset(_KNOWN["attributes"].split()).union(
    *map(dir, _TYPES), (name for name in dir(unittest.TestCase) if name.startswith("assert"))
)
_MOST_WORDS = 200
"""Characters in a text that may name fields."""


@dataclass(frozen=True)
class Hidden:
    """A part of a program that could do something out of sight."""

    line: int
    what: str
    reaches: bool
    """Whether it could reach a thing of the standard library without naming it."""

    def __str__(self) -> str:
        return f"line {self.line}: what {self.what} does cannot be seen"


def hidden_parts(tree: ast.Module) -> Iterator[Hidden]:
    """Everything in a module that could do something out of sight; what only runs as a script is left aside."""
    nodes = list(_nodes(tree))
    names = _Names(nodes)
    for node in nodes:
        for what, reaches in (*_of_bindings(node), *_of_attributes(node, names), *_of_names(node, names)):
            yield Hidden(getattr(node, "lineno", 0), what, reaches)


def _of_bindings(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """What is imported from unknown places in one go, and names that Python, or the probe, gives a meaning."""
    match node:
        case ast.ImportFrom(level=level) if level:
            yield "a module beside it", True
        case ast.ImportFrom(module=str(module), names=[ast.alias(name="*")]) if module not in _MODULES:
            yield f"all of {module}", True
    for name in _bound(node):
        if name == "__name__" or (_is_revealing(name) and not (isinstance(node, ast.alias) and not _is_special(name))):
            yield f"a name {name!r} of its own", name not in _UNSEEN


def _of_attributes(node: ast.AST, names: _Names) -> Iterator[tuple[str, bool]]:
    match node:
        case ast.Attribute(value=value, attr=attr, ctx=use):
            module = names.module_of(value)
            if module is None:
                attributes = [attr]
            else:
                attributes = []
                if not _is_known(module, attr) or not isinstance(use, ast.Load):
                    yield f"{module}.{attr}", not _is_known(module, attr, _UNSEEN_OF)
        case ast.MatchClass(kwd_attrs=attributes):
            pass
        case _:
            return
    for attr in attributes:
        if _is_revealing(attr):
            yield f"the attribute {attr!r}", attr not in _UNSEEN
        elif attr not in _ATTRIBUTES and attr not in names.attributes and attr not in _SPECIAL:
            yield f"the unknown attribute {attr!r}", False


def _of_names(node: ast.AST, names: _Names) -> Iterator[tuple[str, bool]]:
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id in names.own:
        return
    if node.id in names.modules:
        if id(node) not in names.dotted:
            yield f"the module {names.modules[node.id]}, handed on,", True
    elif node.id in names.imported:
        module, name = names.imported[node.id]
        if not _is_known(module, name):
            yield f"{module}.{name}", not _is_known(module, name, _UNSEEN_OF)
    elif node.id == "type" and id(node) not in names.harmless_types:
        yield "type, which can make a class,", True
    elif node.id not in _BUILTINS and node.id not in names.starred:
        yield f"the name {node.id!r}", node.id not in _UNSEEN and (node.id in vars(builtins) or _is_special(node.id))


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node but those below ``if __name__ == "__main__":``, which never run where the module is imported."""
    for statement in tree.body:
        match statement:
            case ast.If(
                test=ast.Compare(
                    left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
                ),
                orelse=others,
            ):
                for other in others:
                    yield from ast.walk(other)
            case _:
                yield from ast.walk(statement)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_revealing(name: str) -> bool:
    return name in _REVEALING or (_is_special(name) and name not in _SPECIAL)


def _is_known(module: str, name: str, known: Mapping[str, frozenset[str]] = _MODULES) -> bool:
    if "*" in known.get(module, ()):
        return name in _public(module) or f"{module}.{name}" in known
    return name in known.get(module, ()) or f"{module}.{name}" in known


@cache
def _public(module: str) -> frozenset[str]:
    """The public names of a module, but for those of modules that it imports itself."""
    members = inspect.getmembers(importlib.import_module(module), lambda value: not inspect.ismodule(value))
    return frozenset(name for name, _ in members if not name.startswith("_"))


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]
        case _ if type(node).__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):  # of Python 3.12
            yield getattr(node, "name", "")


class _Names:
    """What the names of a program stand for."""

    def __init__(self, nodes: list[ast.AST]) -> None:
        self.modules: dict[str, str] = {}
        """Name -> the module that it was imported as."""
        self.imported: dict[str, tuple[str, str]] = {}
        """Name -> module and name there."""
        self.starred: set[str] = set()
        for node in nodes:
            self._take_imports(node)
        bound = {name for node in nodes if not isinstance(node, ast.alias) for name in _bound(node)}
        self.own = bound - set(self.modules) - set(self.imported)
        """Bound by the program itself, and only so."""
        self.attributes = bound.union(_stored_attributes(nodes), _words(nodes))
        """What its own classes may have."""
        self.dotted = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        self.harmless_types = {id(name) for node in nodes for name in _harmless_types(node)}

    def _take_imports(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    first = alias.name.partition(".")[0]
                    self.modules[alias.asname or first] = alias.name if alias.asname else first
            case ast.ImportFrom(module=str(module), names=aliases):
                for alias in aliases:
                    name = alias.asname or alias.name
                    if name == "*":
                        known = _MODULES.get(module, frozenset())
                        self.starred |= _public(module) if "*" in known else known
                    elif f"{module}.{alias.name}" in _MODULES:
                        self.modules[name] = f"{module}.{alias.name}"
                    else:
                        self.imported[name] = (module, alias.name)

    def module_of(self, node: ast.AST) -> str | None:
        """The module that an expression stands for: a name, or a known module in a module."""
        match node:
            case ast.Name(id=name):
                return self.modules.get(name)
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in self.modules:
                path = f"{self.modules[name]}.{attr}"
                return path if path in _MODULES else None
        return None


def _stored_attributes(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _words(nodes: list[ast.AST]) -> Iterator[str]:
    """Names of fields in texts: ``namedtuple("Entry", "count value")``, ``__slots__ = ("heap",)``."""
    for node in nodes:
        match node:
            case ast.Constant(value=str(text)) if len(text) <= _MOST_WORDS:
                yield from text.replace(",", " ").split()


def _harmless_types(node: ast.AST) -> Iterator[ast.AST]:
    """``type`` in ``type(x)`` and in ``type[X]``: neither makes a class."""
    match node:
        case ast.Call(func=ast.Name(id="type") as name, args=[argument], keywords=[]):
            if not isinstance(argument, ast.Starred):
                yield name
        case ast.Subscript(value=ast.Name(id="type") as name):
            yield name
