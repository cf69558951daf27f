"""What the process that asks the models costs: CPU time for each request, and memory for each attempt.

Two sessions, a small and a large one, against a server that answers after a moment, and the same number of empty tests
without a model: the differences of differences leave out what starting pytest costs, and what pytest itself needs for a
test. litellm must not be imported, for the endpoint is asked directly.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measure import Machine, run, say
from throughput import server

AIM_MS, AIM_KB = 5.0, 20.0
NOTE = """\
import json, resource, sys


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        used = resource.getrusage(resource.RUSAGE_SELF)
        noted = {"cpu_s": used.ru_utime + used.ru_stime, "rss_kb": used.ru_maxrss, "litellm": "litellm" in sys.modules}
        (config.rootpath / "noted.json").write_text(json.dumps(noted))
"""
TASK = """\
import pytest

pytestmark = pytest.mark.llm_task(id="{id}", points=1, files=["answer.py"], prompt_text="Write answer(x). Task {id}.")


@pytest.mark.rubric("there", points=1)
def test_there(submission):
    pass
"""
EMPTY = "def test_nothing():\n    pass\n"


@dataclass(frozen=True)
class Noted:
    """Of one session's first process."""

    cpu_s: float
    rss_kb: float
    litellm: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=1000, help="of the large session")
    parser.add_argument("--small", type=int, default=100, help="attempts of the small one")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds before each reply")
    parser.add_argument("--concurrency", type=int, default=64, help="requests in flight")
    options = parser.parse_args()

    machine = Machine()
    more = options.attempts - options.small
    asked = [session(count, options) for count in (options.small, options.attempts)]
    empty = [empty_session(count) for count in (options.small, options.attempts)]
    growth_kb = [(pair[1].rss_kb - pair[0].rss_kb) / more for pair in (asked, empty)]
    cpu_ms = [1000 * (pair[1].cpu_s - pair[0].cpu_s) / more for pair in (asked, empty)]
    say("controller's CPU for each attempt", f"{cpu_ms[0]:.2f} ms")
    say("the same for each empty test", f"{cpu_ms[1]:.2f} ms")
    say("added for each request", f"{cpu_ms[0] - cpu_ms[1]:.2f} ms", f"under {AIM_MS:g} ms")
    say("controller's growth for each attempt", f"{growth_kb[0]:.1f} KB")
    say("the same for each empty test", f"{growth_kb[1]:.1f} KB")
    say("added for each attempt", f"{growth_kb[0] - growth_kb[1]:.1f} KB", f"under {AIM_KB:g} KB")
    say("litellm imported", "yes" if any(each.litellm for each in asked) else "no", "no")
    machine.say()


def session(attempts: int, options: argparse.Namespace) -> Noted:
    """Run so many attempts, all of them asked for."""
    with tempfile.TemporaryDirectory(prefix="llmbench-controller-") as name, server(["m"], options.latency) as url:
        folder = Path(name)
        (folder / "tasks").mkdir()
        for number in range(attempts):
            (folder / "tasks" / f"test_{number}.py").write_text(TASK.format(id=f"t{number}"))
        more = ["--llm-model=m", f"--llm-base-url={url}/v1", f"--llm-concurrency={options.concurrency}", "tasks"]
        noted = note(folder, more)
        results = json.loads((folder / ".llmbench/latest/results.json").read_text())
        scored = sum(each["status"] == "scored" and each["points"] == 1 for each in results["attempts"])
        if scored != attempts:
            raise SystemExit(f"wrong run: {scored} attempts scored, not {attempts}")
        return noted


def empty_session(tests: int) -> Noted:
    """Run so many tests without a model, in as many files."""
    with tempfile.TemporaryDirectory(prefix="llmbench-controller-") as name:
        folder = Path(name)
        for number in range(tests):
            (folder / f"test_{number}.py").write_text(EMPTY)
        return note(folder, [])


def note(folder: Path, more: list[str]) -> Noted:
    """Run pytest on two workers, and read what its first process noted at its end."""
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (folder / "conftest.py").write_text(NOTE)
    run([sys.executable, "-m", "pytest", "-q", "-p", "no:hypothesispytest", "-n2", *more], folder)
    return Noted(**json.loads((folder / "noted.json").read_text()))


if __name__ == "__main__":
    main()
