"""The rooms and who may import whom: arrows point downwards, and rooms of layer 1 do not know each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pytest_llmbench"
LAYERS = {
    "errors": 0,
    "cpu_time": 0,
    "schema": 0,
    "untrusted": 0,
    "catalog": 1,
    "mutants": 1,
    "toolchains": 1,
    "caches": 1,
    "store": 1,
    "llm": 1,
    "replies": 1,
    "sandbox": 1,
    "grading": 1,
    "analysis": 1,
    "published": 1,
    "reporting": 1,
    "pipeline": 2,
    "option_table": 3,
    "option_values": 3,
    "options": 3,
    "replay": 3,
    "task_paths": 3,
    "collection": 3,
    "planning": 3,
    "live": 3,
    "progress": 3,
    "defuse": 3,
    "off_limits": 3,
    "keep_out": 3,
    "assertions": 3,
    "blame": 3,
    "outcome": 3,
    "budget": 3,
    "source": 3,
    "feedback": 3,
    "fixtures": 3,
    "session": 3,
    "worker": 3,
    "verdict": 3,
    "grader": 3,
    "reporter": 3,
    "deliver": 3,
    "scheduler": 3,
    "activate": 3,
    "plugin": 3,
    "cli": 3,
    "__main__": 3,
    "__init__": 3,
}
THIRD_PARTY_ONLY_IN = {
    "litellm": {"llm/litellm_client.py"},
    "xdist": {"scheduler.py"},
    "rich": {"reporting"},
    "scipy": {"analysis"},
    "jinja2": {"reporting"},
    "ijson": {"store"},
    "duckdb": {"store"},
    "subprocess": {"sandbox", "toolchains.py", "caches/command.py", "cli/regrade.py"},
}


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "drivers" not in p.parts and "suites" not in p.parts)


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Everything imported at run time, also inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "pytest_llmbench":
                yield from (f"pytest_llmbench.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_arrows_point_downwards(path: Path) -> None:
    own = room(path)
    for name in imports(path):
        where = f"{path.relative_to(PACKAGE)}: imports {name}"
        parts = name.split(".")
        if parts[0] == "pytest_llmbench" and len(parts) > 1 and parts[1] in LAYERS:
            other = parts[1]
            assert LAYERS[other] <= LAYERS[own], f"{where}, which lies above it"
            if LAYERS[own] == LAYERS[other] in (1, 2):
                assert own == other, f"{where}: rooms of layer {LAYERS[own]} do not know each other"
        if parts[0] in ("pytest", "_pytest"):
            assert LAYERS[own] == 3, f"{where}: only layer 3 knows pytest"
        allowed = THIRD_PARTY_ONLY_IN.get(parts[0])
        if allowed is not None:
            relative = path.relative_to(PACKAGE)
            assert {relative.as_posix(), relative.parts[0]} & allowed, f"{where}: only {allowed} may"


def test_every_module_has_a_layer() -> None:
    assert {room(path) for path in modules()} == set(LAYERS)


def test_no_import_cycles() -> None:
    """At import time, that is outside functions, no module leads back to itself."""
    graph: dict[str, set[str]] = {}
    for path in modules():
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        top = [n for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.ImportFrom)]
        graph[name] = {n.module for n in top if n.module and n.module.startswith("pytest_llmbench.")}

    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())
