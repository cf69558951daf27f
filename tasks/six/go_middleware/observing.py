"""Has the probe observe the server in all scenarios, and once more in those that an accident may have spoilt."""

import runpy
from pathlib import Path
from types import SimpleNamespace

from pytest_llmbench import Limits, fits

PROBE = Path(__file__).with_name("probe.py")
SHAPES = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("shapes.py"))))
OBSERVATIONS = SHAPES.OBSERVATIONS
RUN_LIMITS = Limits(cpu_s=10, wall_s=45, processes=400)

SHUTDOWN_MS = 800
PARALLEL_MS = 400
STRANGERS = 1000
CROWD = 4000
TTL_S = 1
"""As the probe sets it for every server."""
GROWS_KB = 160
"""40 bytes for each IP of a crowd, which is less than the smallest table needs; a server that forgets grows by less."""


def observe(sandbox, asked):
    """What the probe saw of a server that was built, as a ``CallResult``."""
    plan = {
        "limit": [],
        "steady": [],
        "strangers": [STRANGERS],
        "windows": [],
        "parallel": [PARALLEL_MS],
        "api": [[[method, path, body] for method, path, body, *_ in asked.requests], asked.unknown, asked.report_ms],
        "shutdown": [SHUTDOWN_MS],
        "crowd": [CROWD, GROWS_KB],
    }
    result = sandbox.call(PROBE, "observe", plan, limits=RUN_LIMITS, loopback=True)
    if result.outcome == "returned" and isinstance(result.value, dict):
        broken = [name for name in plan if not fits(result.value.get(name), OBSERVATIONS[name])]
        # Once more, so that no accident counts. A collector of garbage that waits for a CPU lets a heap grow: memory
        # that grew while everything ran side by side is measured with nothing beside it.
        grown = ["crowd"] if "crowd" not in broken and grows(result.value["crowd"]["memory_kb"]) else []
        if again := {name: plan[name] for name in (*broken, *grown)}:
            repeated = sandbox.call(PROBE, "observe", again, limits=RUN_LIMITS, loopback=True)
            if repeated.outcome == "returned" and isinstance(repeated.value, dict):
                for name in again:
                    value = repeated.value.get(name)
                    if name in broken or fits(value, OBSERVATIONS[name]):
                        result.value[name] = value
    return result


def grows(memory_kb):
    """By how much each wave of new IPs made the server larger, on average; empty for one that does not grow so.

    Whoever keeps every IP grows whenever their number doubles: with the second wave, and with the two after it.
    """
    if len(memory_kb) not in (2, 4):
        return []
    first, *waves = memory_kb
    grown_kb = [waves[0] - first]
    if len(waves) == 3:  # a wave each, of two
        grown_kb.append((waves[2] - waves[0]) / 2)
    return grown_kb if min(grown_kb) >= GROWS_KB else []
