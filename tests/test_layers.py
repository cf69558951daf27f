"""The rooms and who may import whom: arrows point downwards, and rooms of layer 1 do not know each other."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "pytest_llmbench"
LAYERS = {
    "clock": 0,
    "errors": 0,
    "schema": 0,
    "shipped": 0,
    "measures": 0,
    "text": 0,
    "untrusted": 0,
    "toolchains": 0,
    "catalog": 1,
    "store": 1,
    "llm": 1,
    "extraction": 1,
    "harnesses": 1,
    "sandbox": 1,
    "grading": 1,
    "analysis": 1,
    "published": 1,
    "reporting": 1,
    "agents": 2,
    "attempts": 2,
    "solvers": 2,
    "runs": 3,
    "plugin": 4,
    "cli": 4,
    "__main__": 4,
    "__init__": 4,
}
APART = 1
"""The layer whose rooms do not know each other."""
TOP = max(LAYERS.values())
"""The layer that knows pytest."""
SUB_ROOMS = ("llm", "sandbox", "toolchains", "plugin")
"""Rooms with rooms in them, between which there are no cycles either."""
THIRD_PARTY_ONLY_IN = {
    "litellm": {"llm/clients/litellm_client.py"},
    "xdist": {"plugin/distributed/scheduler.py"},
    "rich": {"reporting"},
    "scipy": {"analysis"},
    "jinja2": {"reporting"},
    "ijson": {"store"},
    "duckdb": {"store"},
    "subprocess": {"sandbox", "toolchains/machine.py", "toolchains/caches/command.py", "cli/regrade.py"},
}
MOST_LOOSE = 6


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
            if node.module.startswith("pytest_llmbench"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(path: Path) -> Iterator[str]:
    own = room(path)
    relative = path.relative_to(PACKAGE)
    for name in imports(path):
        where = f"{relative}: imports {name}"
        parts = name.split(".")
        if parts[0] == "pytest_llmbench" and len(parts) > 1 and parts[1] in LAYERS:
            other = parts[1]
            if LAYERS[other] > LAYERS[own]:
                yield f"{where}, which lies above it"
            if LAYERS[own] == LAYERS[other] == APART and own != other:
                yield f"{where}: rooms of layer {APART} do not know each other"
        if parts[0] in ("pytest", "_pytest") and LAYERS[own] != TOP:
            yield f"{where}: only layer {TOP} knows pytest"
        allowed = THIRD_PARTY_ONLY_IN.get(parts[0])
        if allowed is not None and not {relative.as_posix(), relative.parts[0]} & allowed:
            yield f"{where}: only {allowed} may"


def test_arrows_point_downwards() -> None:
    found = [each for path in modules() for each in violations(path)]
    assert not found, "\n".join(found)


def test_every_module_has_a_layer() -> None:
    assert {room(path) for path in modules()} == set(LAYERS)


def test_few_modules_are_loose() -> None:
    """Beside the packages; a newcomer finds the place of a change from the tree alone."""
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_LOOSE


def test_no_import_cycles() -> None:
    """At import time, that is outside functions, no module leads back to itself."""
    graph: dict[str, set[str]] = {}
    names = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in modules()}
    for path in modules():
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        top = [n for n in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(n, ast.ImportFrom)]
        wanted = {wanted for n in top if n.module for wanted in (n.module, *(f"{n.module}.{a.name}" for a in n.names))}
        graph[name] = wanted & names
    assert_no_cycle(graph)


def test_no_cycles_between_rooms_of_a_room() -> None:
    """Also inside functions; the modules beside the inner rooms may know them and be known by them."""
    for outer in SUB_ROOMS:
        inner = {path.name for path in (PACKAGE / outer).iterdir() if path.is_dir() and (path / "__init__.py").exists()}
        graph: dict[str, set[str]] = {name: set() for name in inner}
        for path in modules():
            parts = path.relative_to(PACKAGE).parts
            if parts[0] == outer and parts[1] in inner:
                known = {tuple(name.split("."))[1:3] for name in imports(path) if name.startswith("pytest_llmbench")}
                graph[parts[1]] |= {
                    each[1] for each in known if each[:1] == (outer,) and each[1:2] and each[1] in inner
                }
                graph[parts[1]] -= {parts[1]}
        assert_no_cycle(graph)


def assert_no_cycle(graph: Mapping[str, Iterable[str]]) -> None:
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())
