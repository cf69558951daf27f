"""What a compiled module does with the scripts, and where that differs from what the starter does."""

from pathlib import Path

from pytest_llmbench import Batches, Limits, shortened

PLAY = Path(__file__).with_name("play.mjs")
PLAY_LIMITS = Limits(cpu_s=3)
PATIENCE_S = 60.0  # wall time for all batches that are played a second time, alone


def plays(sandbox, script, scripts):
    """What a compiled module does in each batch of each area."""
    calls = {(area, batch): [script, area, scripts[area][batch]] for area in scripts for batch in scripts[area]}
    return Batches(sandbox, PLAY, "play", calls, PLAY_LIMITS, alone_s=PATIENCE_S, canary=next(iter(calls)))


def first_difference(scripts, expected, logs):
    """Where logs differ, in words; "" if nowhere. The order of an object's keys does not count."""
    if len(logs) != len(scripts):
        return "the module, which shares the probe's world, has put its logs otherwise"
    for script, right, log in zip(scripts, expected, logs, strict=True):
        if is_same(log, right):
            continue
        told = log if isinstance(log, list) else []
        pairs = enumerate(zip(right, told, strict=False))
        at = next((index for index, pair in pairs if not is_same(*pair)), min(len(right), len(told)))
        return f"{shortened(told[at : at + 1])}, not {shortened(right[at : at + 1])} in {shortened(script)}"
    return ""


def is_same(a, b):
    """Equal with equal types throughout: 1 is not True."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    return type(a) is type(b) and a == b
