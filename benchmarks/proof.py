"""Runs the whole proof, `make test` and every tox environment, and prints where its minutes went.

Beside each tier stands its budget: what a change may spend there. The most expensive tests come before it, and those
that take more than their share without the marker ``slow``. ``--read FILE`` prints the tests of an earlier run's file
of costs, ``--skip test`` leaves `make test` out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Machine, own_cpu_s

ROOT = Path(__file__).resolve().parents[1]
BUDGET_MINUTES = {
    "test": 5.0,
    "lint": 0.2,
    "types": 0.7,
    "docs": 0.7,
    "statistics": 1.0,
    "browser": 1.5,
    "shipped": 1.5,
    "forged": 1.5,
    "selfcheck": 5.0,
    "regrade": 3.0,
    "hostile": 5.0,
    "py311-oldest": 3.0,
    "py312-latest": 1.0,
    "py313-latest": 2.0,
    "py314-latest": 2.0,
}
"""For two idle cores, set-up not counted. Twice that on a slow day."""
DEAREST = 50
SHARE_CPU_S, SHARE_WALL_S = 1.0, 3.0
"""Of a test without the marker ``slow``."""
TOLERANCE = 5
"""So many times the share of CPU fail the proof: a slow day takes twice, and one test pays for what several share."""


@dataclass
class Tier:
    """What one tier took."""

    name: str
    wall_s: float
    cpu_s: float | None = None
    """Of all its processes; None where only its tests' figure is known."""
    failed: bool = False


def main() -> int:
    """Run and print; the exit status of what failed first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--read", type=Path, metavar="FILE")
    parser.add_argument("--skip", choices=["test"])
    chosen = parser.parse_args()
    if chosen.read:
        tests = read_costs(chosen.read)
        say_tests(tests)
        return say_unowned(tests)
    machine, started = Machine(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        costs = Path(folder, "costs.jsonl")
        environment = {**os.environ, "LLMBENCH_TEST_COSTS": str(costs)}
        tiers: list[Tier] = []
        status = 0
        if chosen.skip != "test":
            used_s = own_cpu_s()
            begun = time.monotonic()
            status = subprocess.run(["make", "test"], cwd=ROOT, env=environment, check=False).returncode
            tiers.append(Tier("test", time.monotonic() - begun, own_cpu_s() - used_s, bool(status)))
        if not status:
            result = Path(folder, "tox.json")
            command = [sys.executable, "-m", "tox", "run", "--result-json", str(result)]
            status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
            tiers += environments(json.loads(result.read_text(encoding="utf-8")) if result.exists() else {})
        tests = read_costs(costs) if costs.exists() else []
    say_tests(tests)
    status = max(status, say_unowned(tests))
    say_tiers(tiers, tests, time.monotonic() - started)
    machine.say()
    return status


def environments(result: dict[str, Any]) -> list[Tier]:
    """The tox environments that ran, from tox's own report."""
    found = []
    for name, each in result.get("testenvs", {}).items():
        if commands := each.get("test"):
            wall_s = sum(command.get("elapsed", 0.0) for command in commands)
            found.append(Tier(name, wall_s, failed=any(command["retcode"] for command in commands)))
    return found


def read_costs(file: Path) -> list[dict[str, Any]]:
    """A record for each test that ran: ``tier``, ``test``, ``cpu_s``, ``wall_s``."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def say_tests(tests: Iterable[dict[str, Any]]) -> None:
    """The dearest tests, by CPU."""
    dearest = sorted(tests, key=lambda each: -each["cpu_s"])[:DEAREST]
    print(f"\n{'cpu s':>8} {'wall s':>8}  {'tier':<14} the {len(dearest)} dearest tests")
    for each in dearest:
        print(f"{each['cpu_s']:8.1f} {each['wall_s']:8.1f}  {each['tier']:<14} {each['test']}")


def say_unowned(tests: Iterable[dict[str, Any]]) -> int:
    """The tests beyond their share that do not say why; 1 if one is so far beyond that no slow day explains it."""
    beyond = [
        each for each in tests if not each["slow"] and (each["cpu_s"] > SHARE_CPU_S or each["wall_s"] > SHARE_WALL_S)
    ]
    if not beyond:
        return 0
    print(
        f"\nmore than {SHARE_CPU_S:g} s of CPU, or {SHARE_WALL_S:g} s: make them cheaper (one session for many cases, "
        "a smaller input, the logic without pytest), or mark them slow where that is what they prove"
    )
    for each in beyond:
        print(f"{each['cpu_s']:8.1f} {each['wall_s']:8.1f}  {each['tier']:<14} {each['test']}")
    failed = [each for each in beyond if each["cpu_s"] > TOLERANCE * SHARE_CPU_S]
    if failed:
        print(f"{len(failed)} of them took more than {TOLERANCE} times that CPU: FAILED")
    return int(bool(failed))


def say_tiers(tiers: Iterable[Tier], tests: Iterable[dict[str, Any]], whole_s: float) -> None:
    """What each tier took beside its budget."""
    cpu_s: defaultdict[str, float] = defaultdict(float)
    number: defaultdict[str, int] = defaultdict(int)
    for test in tests:
        cpu_s[test["tier"]] += test["cpu_s"]
        number[test["tier"]] += 1
    print(f"\n{'tier':<14} {'tests':>6} {'cpu min':>8} {'wall min':>9} {'budget':>7} {'of it':>6}")
    for tier in tiers:
        cpu, wall = (tier.cpu_s or cpu_s[tier.name]) / 60, tier.wall_s / 60
        budget = BUDGET_MINUTES.get(tier.name)
        share = f"{budget:7.1f} {wall / budget:6.0%}" if budget else f"{'none':>7}"
        said = "  FAILED" if tier.failed else ""
        print(f"{tier.name:<14} {number[tier.name]:6} {cpu:8.1f} {wall:9.1f} {share}{said}")
    print(f"{'all of it':<14} {sum(number.values()):6} {sum(cpu_s.values()) / 60:8.1f} {whole_s / 60:9.1f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
