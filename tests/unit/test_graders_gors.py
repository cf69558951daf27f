"""Parts of the graders of go-middleware and rust-cli: what a limiter owes, and what looking into a reply costs."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from typing import Any

import pytest
from ast_grep_py import SgRoot

from pytest_llmbench import Row, fits

SIX = Path(__file__).parents[2] / "tasks/six"
LIMITER = runpy.run_path(str(SIX / "go_middleware/limiter.py"))
SHAPES = runpy.run_path(str(SIX / "go_middleware/shapes.py"))
REPAIR = runpy.run_path(str(SIX / "go_middleware/repair.py"))
REPAIR_RUST = runpy.run_path(str(SIX / "rust_cli/repair.py"))
RUST = runpy.run_path(str(SIX / "rust_cli/test_rust_cli.py"))


def at(*requests: tuple[float, int]) -> list[list[Any]]:
    return [[moment, moment + 0.001, status] for moment, status in requests]


def burst(moment: float, passed: int, refused: int = 0) -> list[tuple[float, int]]:
    statuses = [200] * passed + [429] * refused
    return [(moment + 0.002 * number, status) for number, status in enumerate(statuses)]


@pytest.mark.parametrize("limiter", ["sliding window", "token bucket"])
@pytest.mark.parametrize("pattern", [[0.13] * 30, [0.0] * 15 + [0.06] * 40, [0.8, *[0.0] * 8, 0.25, *[0.0] * 12] * 3])
def test_sound_limiters_owe_nothing(limiter: str, pattern: list[float]) -> None:
    sent, through, tokens, last, now = [], [], 10.0, 0.0, 0.0
    for pause in pattern:
        now += pause + 0.001
        tokens, last = min(10.0, tokens + (now - last) * 10), now
        recent = [moment for moment in through if moment > now - 1]
        free = len(recent) < 10 if limiter == "sliding window" else tokens >= 1
        if free:
            through.append(now)
            tokens -= 1
        sent.append([now - 0.0004, now + 0.0004, 200 if free else 429])
    assert LIMITER["too_many"](sent) == ""
    assert LIMITER["too_few"](sent) == ""


def test_too_many_and_too_few_are_told() -> None:
    assert "11 got through" in LIMITER["too_many"](at(*burst(0, 11)))
    assert LIMITER["too_many"](at(*burst(0, 10), *burst(1.05, 10))) == ""
    assert "12 got through" in LIMITER["too_many"](at(*burst(0.9, 8), *burst(1.05, 10)))
    assert "number 10 got 429" in LIMITER["too_few"](at(*burst(0, 9, 1)))
    assert LIMITER["too_few"](at(*burst(0, 10, 5), (1.01, 429))) == "", "its second may be over a little later"
    assert "number 16 got 429" in LIMITER["too_few"](at(*burst(0, 10, 5), (1.1, 429)))
    assert "although only 0" in LIMITER["too_few"](at((0.0, 500)))


ODD = [True, 1e10, float("nan"), float("inf"), 10**400, "x" * 300_000, [], None, {}]


@pytest.mark.parametrize("value", ODD, ids=map(str, range(len(ODD))))
def test_a_shape_is_strict(value: object) -> None:
    whole, number, text = (SHAPES[name] for name in ("Whole", "Number", "Text"))
    shape = Row[tuple[whole, number, whole | text]]
    assert fits([1, 0.5, "ten"], shape)
    assert not fits([value, value, value], shape)
    assert not fits([value], SHAPES["Some"][whole])
    assert not fits([], SHAPES["Some"][whole])


def test_deep_json_is_no_value() -> None:
    assert SHAPES["parsed"]("[[1]]") == [[1]]
    assert SHAPES["parsed"]("[" * 90_000) == "nested too deeply"
    assert SHAPES["parsed"]("[1") == "no JSON"


def test_a_repair_is_linear() -> None:
    names = [f"v{number}" for number in range(8000)]
    text = "package main\n\nfunc main() {\n" + "".join(f"\t{name} := 1\n" for name in names) + "}\n"
    said = "".join(f"./main.go:{line}:2: declared and not used: {name}\n" for line, name in enumerate(names, 4))
    began = time.process_time()
    mended = REPAIR["repaired"](text, said, lambda text: SgRoot(text, "go").root())
    assert time.process_time() - began < 6
    assert mended.count("; _ = v") == REPAIR["MOST_MESSAGES"]


def test_what_is_far_too_long_is_not_repaired() -> None:
    for text in ("package main\n" * 10_000, f"package main // {'x' * 2000}\n"):
        assert REPAIR["repaired"](text, "./main.go:1:1: undefined: fmt", lambda _: None) is None
    assert [names for _, names, _ in REPAIR_RUST["variants"]("enum Priority {}\n" * 7000, "")] == [frozenset()]


@pytest.mark.parametrize("unit", ["enum A{}", "#[a]enum A{}", "#[derive(ValueEnum)]enum Priority{}"])
def test_looking_for_enums_is_linear(unit: str) -> None:
    from pytest_llmbench import SourceFile

    file = SourceFile("src/main.rs", unit * (100_000 // len(unit)))
    began = time.process_time()
    RUST["approach_of"](file, RUST["Build"]())
    assert time.process_time() - began < 6
