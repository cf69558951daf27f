"""Watches calls of ``top_k_frequent`` from inside: the sorts and the work of each call.

Runs in the sandbox, in one process with the model's code, and only for code of which every part is known to do nothing
out of sight (``visible.py``): what it reports can then be believed. It holds no expected value all the same.

It counts instead of measuring time: a line of Python is one unit of work, and whatever walks a container in C is
charged for the elements that it walks. To see those, the code is compiled with a call put around each of them, and so
are ``heapq`` and ``bisect``, as they are written in Python. The counts are the same on every machine, busy or not.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import os
import random
import sys
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from math import log2
from pathlib import Path
from types import BuiltinMethodType, FrameType, MethodDescriptorType, MethodWrapperType, ModuleType
from types import WrapperDescriptorType as SlotType
from typing import Any

BUDGET = 2_000_000
"""Units after which a call is given up: a hundred times what a plain solution needs for the largest input."""
COPIED_PER_UNIT = 32
"""Elements that are shifted or copied in the time of a line of Python."""
COMPARED_PER_UNIT = 4
INSERTED_PER_UNIT = 4
"""Fewer than could be: a list that is kept in order is told from a heap by what it costs for many elements."""
ROWS = (list, tuple, deque, array, bytearray)
SEARCHED = (*ROWS, type({}.values()))
COSTS: dict[str, Callable[[int], float]] = {
    **dict.fromkeys(
        ("__add__", "__getitem__", "__setitem__", "copy", "extend", "pop", "rotate"),
        lambda size: size / COPIED_PER_UNIT,
    ),
    **dict.fromkeys(("__contains__", "count", "index", "remove"), lambda size: size / COMPARED_PER_UNIT),
    "insert": lambda size: log2(size + 1) + size / INSERTED_PER_UNIT,
}
"""What the methods of rows cost by the length of the row; ``sort`` is seen to apart."""


class OverBudgetError(BaseException):
    """The call did so much work that the verdict is certain."""


class Meter:
    """What one call did so far."""

    def __init__(self) -> None:
        self.on = False
        self.exhausted = False
        self.reset()

    def reset(self) -> None:
        """Forget the call before."""
        self.work = 0.0
        self.sorts: list[tuple[list[Any], bool]] = []
        """The list that was sorted, and whether the standard library did it for its own ends."""

    def charge(self, units: float) -> None:
        """Add work. Raises ``OverBudgetError``."""
        if self.on:
            self.work += units
            if self.work > BUDGET:
                self.exhausted = True
                self.on = False
                raise OverBudgetError

    def sort(self, result: list[Any], *, inner: bool) -> None:
        """Note a sort."""
        self.charge(len(result))
        if self.on:
            self.sorts.append((result, inner))


meter = Meter()


def observe(nums: list[int], k: int, *lines: bool) -> dict[str, Any]:
    """Call ``top_k_frequent`` once and tell what it did; without ``lines``, its lines of Python are not counted.

    ``sorts`` has the length of each sort, ``presented`` those that only brought the returned list into rising order,
    ``inner`` the sorts that a function of the standard library made for its own ends.
    After one call over the budget no other is made: the verdict is certain.
    """
    function = loaded()
    meter.reset()
    random.seed(0)
    value = None
    tracer = _on_line if all(lines) else None
    threading.settrace(tracer)
    sys.settrace(tracer)
    meter.on = True
    try:
        value = None if meter.exhausted else function(nums, k)
    except OverBudgetError:
        pass
    finally:
        meter.on = False
        sys.settrace(None)
        threading.settrace(None)
    rising = type(value) is list and all(a < b for a, b in pairwise(value))
    return {
        "finished": not meter.exhausted,
        "work": meter.work,
        "sorts": [len(result) for result, inner in meter.sorts if not inner],
        "presented": [len(result) for result, inner in meter.sorts if not inner and rising and result == value],
        "inner": [len(result) for result, inner in meter.sorts if inner],
    }


def _on_line(frame: FrameType, event: str, _arg: object) -> Any:
    if frame.f_code.co_filename == __file__:
        return None
    if event == "line":
        meter.charge(1)
    return _on_line


# -- what is put around the code --------------------------------------------------------------------------------------


def _result(value: Any) -> Any:
    """A row that was copied together."""
    if isinstance(value, ROWS):
        meter.charge(len(value) / COPIED_PER_UNIT)
    return value


def _shifted(row: Any) -> Any:
    """A row of which a part is about to be replaced."""
    return _result(row)


def _searched(row: Any) -> Any:
    """A row that is about to be searched, or the values of a dictionary."""
    if isinstance(row, SEARCHED):
        meter.charge(len(row) / COMPARED_PER_UNIT)
    return row


def _methods(*, inner: bool) -> Callable[[Any, str], Any]:
    """Gives what ``value.name`` gives, charged when that is a method of a row."""

    def method(value: Any, name: str) -> Any:
        found = getattr(value, name)
        if isinstance(found, MethodDescriptorType | SlotType):
            return lambda row, *args, **kwargs: method(row, name)(*args, **kwargs)
        if not isinstance(found, BuiltinMethodType | MethodWrapperType) or not isinstance(found.__self__, ROWS):
            return found
        row = found.__self__

        def charged(*args: Any, **kwargs: Any) -> Any:
            if name == "sort":
                found(*args, **kwargs)
                return meter.sort(row, inner=inner)
            if name != "pop" or args not in ((), (-1,)):
                meter.charge(COSTS[name](len(row)))
            return found(*args, **kwargs)

        return charged

    return method


def _walking(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, charged for the length of its first argument; a lone iterator is drawn into a tuple first."""

    def charged(*args: Any, **kwargs: Any) -> Any:
        if not args:
            return function(**kwargs)
        first, *others = args
        if isinstance(first, Iterable) and not hasattr(first, "__len__"):
            first = tuple(first)
        meter.charge(len(first) if hasattr(first, "__len__") else 1)
        return function(first, *others, **kwargs)

    return charged


class _Map(map):  # type: ignore[type-arg] - the watched code gives it any function
    """``map``, charged for each element: nothing of it is seen when its function is one of C."""

    def __next__(self) -> Any:
        meter.charge(1 / COMPARED_PER_UNIT)
        return super().__next__()


class _Filter(filter):  # type: ignore[type-arg] - as above
    """``filter``, charged for each element that is drawn, also for those that it drops."""

    def __new__(cls, function: Callable[[Any], Any] | None, values: Iterable[Any]) -> _Filter:
        return super().__new__(cls, function, _Map(_same, values))


def _same(value: Any) -> Any:
    return value


def _built_in(*, inner: bool) -> dict[str, Any]:
    """The built-in names of watched code; those with a dot are no names of Python, and so out of its reach."""

    def sorted_(*args: Any, **kwargs: Any) -> list[Any]:
        result = sorted(*args, **kwargs)
        meter.sort(result, inner=inner)
        return result

    return {
        **vars(builtins),
        **{each.__name__: _walking(each) for each in (min, max, sum)},
        "map": _Map,
        "filter": _Filter,
        "sorted": sorted_,
        ".method": _methods(inner=inner),
        ".result": _result,
        ".shifted": _shifted,
        ".searched": _searched,
    }


class Charging(ast.NodeTransformer):
    """Puts a call around everything that may walk a row in C."""

    def _around(self, name: str, *values: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(name, ast.Load()), list(values), [])

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """``row.sort``."""
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and (node.attr in COSTS or node.attr == "sort"):
            return ast.copy_location(self._around(".method", node.value, ast.Constant(node.attr)), node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """``row[a:b]``, also where it is replaced or deleted."""
        self.generic_visit(node)
        if isinstance(node.slice, ast.Slice):
            if isinstance(node.ctx, ast.Load):
                return ast.copy_location(self._around(".result", node), node)
            node.value = self._around(".shifted", node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """``row + row``."""
        self.generic_visit(node)
        copies = isinstance(node.op, ast.Add | ast.Mult)
        return ast.copy_location(self._around(".result", node), node) if copies else node

    def visit_List(self, node: ast.List) -> ast.expr:
        """``[*row, value]``."""
        return self._row(node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        """``(*row, value)``."""
        return self._row(node)

    def _row(self, node: ast.List | ast.Tuple) -> ast.expr:
        self.generic_visit(node)
        copies = isinstance(node.ctx, ast.Load) and any(isinstance(part, ast.Starred) for part in node.elts)
        return ast.copy_location(self._around(".result", node), node) if copies else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """``list(row)``."""
        self.generic_visit(node)
        copies = isinstance(node.func, ast.Name) and node.func.id in ("list", "tuple", "deque", "array")
        return ast.copy_location(self._around(".result", node), node) if copies else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """``value in row``."""
        self.generic_visit(node)
        pairs = zip(node.ops, node.comparators, strict=True)
        node.comparators = [
            self._around(".searched", right) if isinstance(how, ast.In | ast.NotIn) else right for how, right in pairs
        ]
        return node

    def visit_Match(self, node: ast.Match) -> ast.Match:
        """Patterns hold expressions that must stay as they are."""
        node.subject = self.visit(node.subject)
        for case in node.cases:
            case.guard = self.visit(case.guard) if case.guard else None
            case.body = [self.visit(statement) for statement in case.body]
        return node


# -- loading ----------------------------------------------------------------------------------------------------------


def _module(name: str, path: str, *, inner: bool) -> ModuleType:
    """Load a file as a module with everything watched."""
    tree = Charging().visit(ast.parse(Path(path).read_bytes()))
    code = compile(ast.fix_missing_locations(tree), path, "exec")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # a path that ends in .py has one
    module = importlib.util.module_from_spec(spec)
    vars(module)["__builtins__"] = _built_in(inner=inner)
    sys.modules[name] = module
    exec(code, vars(module))  # noqa: S102 - this is the sandbox
    return module


_kept: list[Callable[..., Any]] = []


def loaded() -> Callable[..., Any]:
    """The model's function, loaded once."""
    if not _kept:
        for name in ("bisect", "heapq"):
            sys.modules[f"_{name}"] = None  # type: ignore[assignment] - so that they stay as written in Python
            _module(name, str(Path(os.__file__).with_name(f"{name}.py")), inner=True)
        _kept.append(_module("top_k", f"{os.environ['WORKSPACE']}/top_k.py", inner=False).top_k_frequent)
    return _kept[0]
