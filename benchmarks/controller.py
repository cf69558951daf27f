"""What the process that asks the models costs: CPU time for each request, and memory for each attempt.

Two sessions, a small and a large one, against a server that answers after a moment, and the same number of empty tests
without a model: the differences of differences leave out what starting pytest costs, and what pytest itself needs for a
test. What httpx needs for the same streams by itself, a connection for each in flight, is the ideal; the rest
is ours: queues, retries, records on disk, the workers' channel. litellm must not be imported, for the endpoint is
asked directly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from measure import PYTEST, Machine, run, say
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
    sizes = (options.small, options.attempts)
    # Folders go at the end only: for minutes after many files were removed, ext4 takes a long time to make one.
    with tempfile.TemporaryDirectory(prefix="llmbench-controller-") as name:
        asked = [session(Path(name) / f"asked{count}", count, options) for count in sizes]
        empty = [empty_session(Path(name) / f"empty{count}", count) for count in sizes]
    bare_ms = asyncio.run(bare(options))
    growth_kb = [(pair[1].rss_kb - pair[0].rss_kb) / more for pair in (asked, empty)]
    cpu_ms = [1000 * (pair[1].cpu_s - pair[0].cpu_s) / more for pair in (asked, empty)]
    say("controller's CPU for each attempt", f"{cpu_ms[0]:.2f} ms")
    say("the same for each empty test", f"{cpu_ms[1]:.2f} ms")
    say("added for each request", f"{cpu_ms[0] - cpu_ms[1]:.2f} ms", f"under {AIM_MS:g} ms")
    say("the same for each stream by httpx alone", f"{bare_ms:.2f} ms")
    say("ratio of the two", f"{(cpu_ms[0] - cpu_ms[1]) / bare_ms:.2f}", "1")
    say("controller's growth for each attempt", f"{growth_kb[0]:.1f} KB")
    say("the same for each empty test", f"{growth_kb[1]:.1f} KB")
    say("added for each attempt", f"{growth_kb[0] - growth_kb[1]:.1f} KB", f"under {AIM_KB:g} KB")
    say("litellm imported", "yes" if any(each.litellm for each in asked) else "no", "no")
    machine.say()


def session(folder: Path, attempts: int, options: argparse.Namespace) -> Noted:
    """Run so many attempts in a new folder, all of them asked for."""
    (folder / "tasks").mkdir(parents=True)
    with server(["m"], options.latency) as url:
        for number in range(attempts):
            (folder / "tasks" / f"test_{number}.py").write_text(TASK.format(id=f"t{number}"))
        more = ["--llm-model=m", f"--llm-base-url={url}/v1", f"--llm-concurrency={options.concurrency}", "tasks"]
        noted = note(folder, more)
        results = json.loads((folder / ".llmbench/latest/results.json").read_text())
        scored = sum(each["status"] == "scored" and each["points"] == 1 for each in results["attempts"])
        if scored != attempts:
            raise SystemExit(f"wrong run: {scored} attempts scored, not {attempts}")
        return noted


def empty_session(folder: Path, tests: int) -> Noted:
    """Run so many tests without a model, in as many files of a new folder."""
    folder.mkdir()
    for number in range(tests):
        (folder / f"test_{number}.py").write_text(EMPTY)
    return note(folder, [])


async def bare(options: argparse.Namespace) -> float:
    """CPU milliseconds of one stream that httpx reads to its end; clients are made before."""
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Write answer(x)."}]}
    with server(["m"], options.latency) as url:
        clients = [
            httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=None, verify=False)
            for _ in range(options.concurrency)
        ]
        left = iter(range(options.attempts))

        async def ask(client: httpx.AsyncClient) -> None:
            for _ in left:
                async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
                    async for _ in response.aiter_bytes():
                        pass

        before = time.process_time()
        await asyncio.gather(*map(ask, clients))
        return 1000 * (time.process_time() - before) / options.attempts


def note(folder: Path, more: list[str]) -> Noted:
    """Run pytest on two workers, and read what its first process noted at its end."""
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (folder / "conftest.py").write_text(NOTE)
    run([*PYTEST, "-q", "-n2", *more], folder)
    return Noted(**json.loads((folder / "noted.json").read_text()))


if __name__ == "__main__":
    main()
