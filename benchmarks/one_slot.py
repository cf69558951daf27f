"""A server that works on one request at a time, asked by a session on one process and by one on several.

It must never see two requests at once, and graders beside the asking must not slow it down: the ideal is the server's
own time, one reply after the other.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from controller import TASK
from measure import PYTEST, Machine, run, say
from throughput import server

AIM_RATIO = 1.1


@dataclass(frozen=True)
class Walls:
    """Seconds of one session."""

    asking: float
    """From the first request's arrival to the last reply's end, as the server saw it."""
    command: float
    """The whole pytest command: its start, the workers' start and the results too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=6)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds before each reply")
    parser.add_argument("-n", "--workers", type=int, default=4, help="xdist workers of the second session")
    options = parser.parse_args()

    machine = Machine()
    ideal_s = options.attempts * options.latency
    alone, beside = (session(workers, options) for workers in (0, options.workers))
    aim = f"at most {AIM_RATIO}"
    say(f"ideal: {options.attempts} replies, one after the other", f"{ideal_s:.2f} s")
    say("first request to last reply, -n 0", f"{alone.asking:.2f} s")
    say(f"first request to last reply, -n {options.workers}", f"{beside.asking:.2f} s")
    say("ratio of the two", f"{beside.asking / alone.asking:.3f}", aim)
    say(f"ratio of -n {options.workers} to the ideal", f"{beside.asking / ideal_s:.3f}", aim)
    say("the whole command, -n 0", f"{alone.command:.2f} s")
    say(f"the whole command, -n {options.workers}", f"{beside.command:.2f} s")
    machine.say()


def session(workers: int, options: argparse.Namespace) -> Walls:
    """Run so many attempts on so many workers; ends the benchmark if two requests were in flight at once."""
    with tempfile.TemporaryDirectory(prefix="llmbench-one-slot-") as name, server(["m"], options.latency) as url:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        (folder / "tasks").mkdir()
        for number in range(options.attempts):
            (folder / "tasks" / f"test_{number}.py").write_text(TASK.format(id=f"t{number}"))
        pytest = [*PYTEST, "-q", f"-n{workers}", "tasks"]
        started = time.perf_counter()
        run([*pytest, "--llm-model=m", f"--llm-base-url={url}/v1"], folder)
        command_s = time.perf_counter() - started
        with urllib.request.urlopen(f"{url}/stats") as answer:
            stats = json.load(answer)
    if (stats["chat_count"], stats["max_in_flight"]) != (options.attempts, 1):
        raise SystemExit(f"wrong run: {stats['chat_count']} requests, {stats['max_in_flight']} at once")
    return Walls(stats["busy_s"], command_s)


if __name__ == "__main__":
    main()
