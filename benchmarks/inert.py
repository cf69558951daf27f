"""What the plugin costs a pytest session that does not use it: one empty test, with and without the plugin."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from measure import PYTEST, Machine, interleave, run, say

AIM_MS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()

    machine = Machine()
    with tempfile.TemporaryDirectory(prefix="llmbench-inert-") as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        (folder / "test_empty.py").write_text("def test_empty():\n    pass\n")
        command = [*PYTEST, "-q", "-p", "no:cacheprovider"]
        seen = run([*command, "--trace-config"], folder).stdout
        if "pytest_llmbench" not in seen:
            raise SystemExit(f"{sys.executable} has no pytest-llmbench installed: there is nothing to measure.")
        pairs = interleave(
            lambda: run(command, folder),
            lambda: run([*command, "-p", "no:llmbench"], folder),
            pairs=options.pairs,
        )
    say("pytest, plugin loaded", f"{statistics.median(pairs.with_it) * 1000:.0f} ms")
    say("pytest, -p no:llmbench", f"{statistics.median(pairs.without) * 1000:.0f} ms")
    say(f"difference, median of {options.pairs} pairs", f"{pairs.difference * 1000:.1f} ms", f"under {AIM_MS} ms")
    say("ratio of the medians", f"{pairs.ratio:.3f}")
    machine.say()


if __name__ == "__main__":
    main()
