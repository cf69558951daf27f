"""Where results go beside the terminal and the run folder: an HTML file, a job's summary and annotations on GitHub."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_llmbench.errors import StoreError
from pytest_llmbench.plugin.controller.gates import GateResult
from pytest_llmbench.schema.results import Results
from pytest_llmbench.store.run_dir import RunDir


def write_html(run: RunDir, results: Results, path: Path) -> str:
    """Write the report; gives the line that says so. Raises ``StoreError``."""
    from pytest_llmbench.runs.report_data import write_html

    write_html(run, results, path)
    return f"report: {path}"


def tell_github(
    results: Results, rulings: Sequence[GateResult], environment: Mapping[str, str] = os.environ
) -> Iterator[str]:
    """Lines for the log of a GitHub job, its summary being written on the way; nothing elsewhere."""
    if environment.get("GITHUB_ACTIONS") != "true":
        return
    from pytest_llmbench.reporting import github, markdown

    yield from github.commands(results, rulings)
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(markdown.render(results) + _gates(rulings, markdown.escape))
        except OSError as error:
            raise StoreError(f"cannot write the job's summary {summary}: {error.strerror or error}.") from error


def ruling_line(ruling: GateResult) -> str:
    """A gate and what came of it."""
    return f"{ruling.gate}: {f'not reached: {ruling.shortfall}' if ruling.shortfall else 'reached'}"


def _gates(rulings: Sequence[GateResult], escape: Callable[[str], str]) -> str:
    return "".join(f"\n- {escape(ruling_line(ruling))}" for ruling in rulings) + ("\n" if rulings else "")
