"""What reports cost on a large run, in memory and time, and the summary of a session; beside the aims."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Machine, say

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.synthetic import synthetic_run

from pytest_llmbench.reporting.terminal import render
from pytest_llmbench.runs.results import load_results

MEMORY_MB, WALL_S, SUMMARY_S = 400, 60, 1.0
MODELS, TASKS, CRITERIA = 50, 20, 15
SHARE = 0.7
"""Of the points that are earned."""


def main() -> None:
    """Make a run's results.json, and time each command on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=50_000)
    options = parser.parse_args()
    machine = Machine()
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "a"), Path(folder, "b")
        for path, seed in ((first, 1), (second, 2)):
            path.mkdir()
            write(path / "results.json", options.attempts, seed)
        size = (first / "results.json").stat().st_size / 1e6
        print(f"{options.attempts} attempts of {CRITERIA} points each: results.json has {size:.0f} MB")
        for words in (
            ["report", str(first)],
            ["report", str(first), "--markdown"],
            ["leaderboard", str(first), str(second)],
            ["compare", str(first), str(second), "--allow=all"],
        ):
            wall_s, memory_mb = measured(words)
            name = " ".join(word for word in words if not word.startswith(folder))
            say(f"llmbench {name}: wall", f"{wall_s:.1f} s: {wall_s / WALL_S:.2f}", f"at most {WALL_S} s")
            say(
                f"llmbench {name}: memory",
                f"{memory_mb:.0f} MB: {memory_mb / MEMORY_MB:.2f}",
                f"at most {MEMORY_MB} MB",
            )
        say(*summary(Path(folder)))
    machine.say()


def summary(folder: Path) -> tuple[str, str, str]:
    """Seconds from the last test's end to the printed leaderboard, for a run of 5,000 points."""
    run, _ = synthetic_run(folder / "runs", models=55, tasks=6, epochs=1, hostile=False)
    points = sum(1 for _ in (run.path / "items.jsonl").open())
    began = time.perf_counter()
    text = render(load_results(run), width=160, colour=True)
    took_s = time.perf_counter() - began
    assert text
    return f"summary of {points} points", f"{took_s:.2f} s: {took_s / SUMMARY_S:.2f}", f"at most {SUMMARY_S:g} s"


def measured(words: list[str]) -> tuple[float, float]:
    """Wall time in s and the largest resident size in MB of one command."""
    # Of this address space alone: the largest size that getrusage tells counts in the process that was forked.
    code = (
        "import sys; from pathlib import Path; from pytest_llmbench.cli.main import main; status = main(sys.argv[1:]); "
        "print([line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM')][0]"
        ".split()[1], file=sys.stderr); sys.exit(status)"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    wall_s = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return wall_s, int(done.stderr.split()[-1]) / 1024


def write(path: Path, attempts: int, seed: int) -> None:
    """A ``results.json`` as a run would write it, with random verdicts."""
    dice = random.Random(seed)
    epochs = attempts // (MODELS * TASKS)
    tasks, models = [f"task-{n:02}" for n in range(TASKS)], [f"model-{n:02}" for n in range(MODELS)]
    content = {
        "schema_version": 1,
        "run": {"id": f"run-{seed}", "started": f"2026-01-0{seed}T00:00:00+00:00", "options": {"epochs": epochs}},
        "models": [{"name": model, "resolved": model, "endpoint": "http://127.0.0.1:8080/v1"} for model in models],
        "tasks": [
            {"id": task, "suite": "s", "max_points": CRITERIA, "criteria": [], "fingerprint": task} for task in tasks
        ],
        "attempts": [
            attempt(dice, task, model, epoch) for task in tasks for model in models for epoch in range(1, epochs + 1)
        ],
    }
    points: dict[str, dict[str, list[int]]] = {}
    for each in content["attempts"]:
        points.setdefault(each["model"], {}).setdefault(each["task"], []).append(each["points"])
    rows = [
        {
            "rank": 1,
            "model": model,
            "total": sum(sum(several) / len(several) for several in by_task.values()),
            "max_total": CRITERIA * TASKS,
            "completed": f"{TASKS}/{TASKS}",
            "avg_wall_s": 3.0,
            "per_task": {task: sum(several) / len(several) for task, several in by_task.items()},
        }
        for model, by_task in points.items()
    ]
    content |= {"leaderboard": sorted(rows, key=lambda row: -row["total"]), "incomplete": []}
    path.write_text(json.dumps(content, indent=1) + "\n")


def attempt(dice: random.Random, task: str, model: str, epoch: int) -> dict[str, object]:
    """One scored attempt."""
    criteria = [
        {
            "id": f"point-{number}",
            "dimension": "",
            "by": "executed",
            "points": int(earned),
            "max_points": 1,
            "outcome": "earned" if earned else "missed",
            "message": "" if earned else "AssertionError: expected [1, 2, 3], got [1, 3]",
        }
        for number, earned in enumerate(dice.random() < SHARE for _ in range(CRITERIA))
    ]
    return {
        "task": task,
        "model": model,
        "epoch": epoch,
        "status": "scored",
        "points": sum(int(criterion["points"]) for criterion in criteria),
        "max_points": CRITERIA,
        "criteria": criteria,
        "wall_s": 3.0,
        "usage": {"prompt_tokens": 500, "completion_tokens": 900},
        "finish_reason": "stop",
    }


if __name__ == "__main__":
    main()
