"""What the benchmarks share: an environment of their own, interleaved pairs, and one form of printing figures."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-p", "no:anyio"]
"""Without the plugins that came along with the tests' own tools: those import more than pytest and we do together."""


@dataclass(frozen=True)
class Pairs:
    """Two things measured in turns, so that whatever else the machine does falls on both."""

    with_it: list[float]
    without: list[float]

    @property
    def difference(self) -> float:
        """Median of the differences between neighbours."""
        return statistics.median(a - b for a, b in zip(self.with_it, self.without, strict=True))

    @property
    def ratio(self) -> float:
        """Ratio of the medians."""
        return statistics.median(self.with_it) / statistics.median(self.without)


def interleave(with_it: Callable[[], object], without: Callable[[], object], *, pairs: int, warm_up: int = 2) -> Pairs:
    """Wall seconds of both, in turns; which of the two goes first changes from pair to pair."""
    for _ in range(warm_up):
        with_it()
        without()
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        for which in (0, 1) if number % 2 else (1, 0):
            started = time.perf_counter()
            (with_it, without)[which]()
            seconds[which].append(time.perf_counter() - started)
    return Pairs(*seconds)


def environment() -> dict[str, str]:
    """This environment without anything that could choose a model, pay for it, or change what Python and pytest load.

    Python's own variables go too: with ``PYTHONDONTWRITEBYTECODE`` pytest would rewrite every plugin on every start.
    """
    others = ("LLMBENCH_", "PYTEST_", "PYTHON", "COV_", "OPENAI_", "OLLAMA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    # Port 1 answers nobody: no server of this machine is looked for.
    return {**kept, "LLMBENCH_PROBE_PORTS": "1", "COLUMNS": "160"}


def run(command: Sequence[str], folder: Path, *, allowed: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; an exit status that is not allowed ends the benchmark with the command's output."""
    done = subprocess.run(
        command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout[-4000:]}{done.stderr}")
    return done


def say(name: str, figure: str, aim: str = "") -> None:
    """One line: what was measured, the figure, and what it should be."""
    print(f"{name:<44} {figure:>12}" + (f"   aim: {aim}" if aim else ""), flush=True)


class Machine:
    """Tells, next to the figures, how much of the machine other programs had while they were taken."""

    def __init__(self) -> None:
        self._wall_s = time.perf_counter()
        self._all_s, self._own_s = busy_cpu_s(), own_cpu_s()

    def say(self) -> None:
        """Print it; where the system does not tell (other than Linux), the load of the last minute."""
        cpus = os.cpu_count() or 1
        if self._all_s:
            others_s = busy_cpu_s() - self._all_s - (own_cpu_s() - self._own_s)
            share = max(0.0, others_s) / (time.perf_counter() - self._wall_s) / cpus
            say(f"other programs' share of the {cpus} CPUs", f"{share:.0%}")
        else:
            say(f"load of the {cpus} CPUs in the last minute", f"{os.getloadavg()[0]:.1f}")


def busy_cpu_s() -> float:
    """CPU seconds that all programs together have used since the machine was started; 0 where there is no /proc."""
    try:
        fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
    except FileNotFoundError:
        return 0.0
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts = map(int, fields[:7])
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")


def own_cpu_s() -> float:
    """CPU seconds of this process and of all the programs that it has waited for, theirs included."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
