"""The HTML report of a large run: its size, how long it takes to be made, and how soon one can work with it.

A synthetic run of 35 models x 6 tasks x 3 epochs with replies and reasoning of a few thousand tokens is rendered once
and opened several times in a real browser, each time with a fresh profile. Interactive: the filter has been typed into
and the leaderboard narrowed; opened: after that, an attempt's page is unpacked and shown.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measure import Machine, say

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.browser import chromium, missing
from support.synthetic import synthetic_run

from pytest_llmbench.runs.report_data import write_html

AIM_S, AIM_MB = 3.0, 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=35)
    parser.add_argument("--tasks", type=int, default=6, help="at most 6")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--size", type=int, default=4, help="length of texts; 4: 25,000 characters of reasoning")
    parser.add_argument("--times", type=int, default=5, help="how often it is opened")
    options = parser.parse_args()
    if why := missing():
        raise SystemExit(why)

    machine = Machine()
    with tempfile.TemporaryDirectory(prefix="llmbench-html-") as name:
        sizes = {"models": options.models, "tasks": options.tasks, "epochs": options.epochs, "size": options.size}
        run, results = synthetic_run(Path(name), **sizes)
        report = Path(name) / "report.html"
        started = time.perf_counter()
        write_html(run, results, report)
        say(f"rendering {len(results.attempts)} attempts", f"{time.perf_counter() - started:.1f} s")
        folder = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
        say("the run folder", f"{folder / 1e6:.1f} MB")
        say("the report", f"{report.stat().st_size / 1e6:.1f} MB", f"under {AIM_MB:g} MB")
        seconds = [opened(report) for _ in range(options.times)]
        say("interactive, median", f"{statistics.median(s[0] for s in seconds):.2f} s", f"under {AIM_S:g} s")
        say("interactive, slowest", f"{max(s[0] for s in seconds):.2f} s", f"under {AIM_S:g} s")
        say("an attempt opened after that, median", f"{statistics.median(s[1] for s in seconds):.2f} s")
    machine.say()


def opened(report: Path) -> tuple[float, float]:
    """Seconds from asking for the page until it answers to the filter, and from a click until an attempt is shown."""
    with chromium() as driver:
        started = time.perf_counter()
        driver.get(report.as_uri())
        field = driver.find_element("css selector", "#filter")
        field.send_keys("qwen")
        while not driver.find_element("css selector", "#filter-count").text:
            time.sleep(0.01)
        interactive = time.perf_counter()
        driver.execute_script("document.querySelector('#heat-table a').click()")
        while not driver.execute_script("return document.getElementById('attempt').dataset.shown"):
            time.sleep(0.01)
        return interactive - started, time.perf_counter() - interactive


if __name__ == "__main__":
    main()
