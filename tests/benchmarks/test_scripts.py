"""The benchmarks run, print what their README says, and refuse to print figures of a run that went wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def figures(script: str, *options: str) -> dict[str, str]:
    """Run a script; name -> figure, as printed."""
    command = [sys.executable, str(BENCHMARKS / script), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    seen = dict(re.match(r"(.+?)  +(.+?)(?:   aim: .+)?$", line).groups() for line in done.stdout.splitlines())
    others = seen.popitem()
    assert others[0].startswith(("other programs' share of the", "load of the")), others
    return seen


def number(text: str) -> float:
    return float(text.split(maxsplit=1)[0])


def test_throughput() -> None:
    sizes = ("--tasks=3", "--models=2", "--latency=0.05", "--concurrency=2", "-n2")
    seen = figures("throughput.py", *sizes)
    assert list(seen) == [
        "the whole pytest command, 6 attempts",
        "waiting for the server, wave by wave",
        "18 bare checks, 2 at a time",
        "ideal: the larger of the two",
        "ratio of the command to the ideal",
    ]
    waves, checks, ideal = (number(seen[name]) for name in list(seen)[1:4])
    assert waves == pytest.approx(2 * 2 * 0.05)
    assert ideal == max(waves, checks)
    assert number(seen["ratio of the command to the ideal"]) > 1


def test_one_slot() -> None:
    seen = figures("one_slot.py", "--attempts=2", "--latency=0.2", "-n2")
    assert list(seen) == [
        "ideal: 2 replies, one after the other",
        "first request to last reply, -n 0",
        "first request to last reply, -n 2",
        "ratio of the two",
        "ratio of -n 2 to the ideal",
        "the whole command, -n 0",
        "the whole command, -n 2",
    ]
    ideal, *asking = (number(seen[name]) for name in list(seen)[:3])
    assert ideal == pytest.approx(0.4)
    assert min(asking) >= 0.4


def test_inert() -> None:
    seen = figures("inert.py", "--pairs=1")
    assert list(seen) == [
        "pytest, plugin loaded",
        "pytest, -p no:llmbench",
        "difference, median of 1 pairs",
        "ratio of the medians",
    ]
    assert all(value.endswith(" ms") for name, value in list(seen.items())[:3])


def test_sandbox() -> None:
    seen = figures("sandbox.py", "--pairs=2")
    names = ("sandboxed", "bare", "added", "ratio")
    bombs = [f"{bomb} bomb, lived, worst of 5" for bomb in ("fork", "memory")]
    commands = [f"{command}, {name}" for command in ("true", "python -S -c pass") for name in names]
    assert list(seen)[1:] == [*commands, *bombs]
    assert number(seen["true, sandboxed"]) > number(seen["true, bare"]) > 0


def test_grading() -> None:
    seen = figures("grading.py", "--task=python_top_k", "--epochs=2")
    assert list(seen) == ["python-top-k, median of 1 warm attempts", "python-top-k, python -S -c pass, bare"]
    assert number(seen["python-top-k, median of 1 warm attempts"]) > 0


class TestAWrongRun:
    """``throughput.py`` prints no ratio of a session that did something else than what is measured."""

    GOOD_STATS: ClassVar = {"chat_count": 4, "overlaps_between_models": 0, "models": ["a", "a", "b", "b"]}

    @pytest.fixture
    def throughput(self, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        monkeypatch.syspath_prepend(BENCHMARKS)
        import throughput

        return throughput

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return self.with_results(tmp_path, [{"status": "scored", "points": 3.0}] * 4)

    def with_results(self, folder: Path, attempts: list[dict[str, Any]]) -> Path:
        results = folder / ".llmbench" / "latest" / "results.json"
        results.parent.mkdir(parents=True, exist_ok=True)
        results.write_text(json.dumps({"attempts": attempts}))
        return folder

    def test_a_right_run_passes(self, throughput: ModuleType, folder: Path) -> None:
        throughput.verify(folder, self.GOOD_STATS, Namespace(tasks=2, models=2))

    @pytest.mark.parametrize(
        ("difference", "said"),
        [
            ({"chat_count": 5}, "5 requests, not 4"),
            ({"overlaps_between_models": 1}, "in flight at one moment, not 0"),
            ({"models": ["a", "b", "a", "b"]}, "4 changes of model"),
        ],
    )
    def test_the_server_saw_something_else(
        self, throughput: ModuleType, folder: Path, difference: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(SystemExit, match=said):
            throughput.verify(folder, {**self.GOOD_STATS, **difference}, Namespace(tasks=2, models=2))

    @pytest.mark.parametrize("odd", [{"status": "error", "points": 3.0}, {"status": "scored", "points": 2.0}])
    def test_an_attempt_without_full_points(self, throughput: ModuleType, folder: Path, odd: dict[str, Any]) -> None:
        self.with_results(folder, [{"status": "scored", "points": 3.0}] * 3 + [odd])
        with pytest.raises(SystemExit, match="3 attempts with full points, not 4"):
            throughput.verify(folder, self.GOOD_STATS, Namespace(tasks=2, models=2))
