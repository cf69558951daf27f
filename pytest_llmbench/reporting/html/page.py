"""The file as a whole: a template filled in, styles and scripts with their hashes, and blocks of data."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_llmbench.reporting import epochs, selfcheck
from pytest_llmbench.reporting.html.boards import axes, board, provenance, said
from pytest_llmbench.reporting.html.details import AttemptEvidence, pack_attempt
from pytest_llmbench.reporting.html.figures import number
from pytest_llmbench.reporting.html.heat import HeatRow, attempt_link, attempt_text, heat_rows
from pytest_llmbench.reporting.html.text import all_shown, cut, json_block, packed, shown
from pytest_llmbench.reporting.html.troubles import troubles
from pytest_llmbench.reporting.terminal import heading
from pytest_llmbench.schema.plan import TaskCard
from pytest_llmbench.schema.results import AttemptResult, Results

_HERE = Path(__file__).parent
_STYLES = ("page.css", "tables.css", "attempt.css")
_LIBRARY = "vendor/chart-4.6.1.umd.min.js"
_SCRIPTS = ("dom.js", "tables.js", "heat.js", "charts.js", "reply.js", "attempt.js", "main.js")
ROOM = 14_000_000
"""Characters for the evidence of all attempts together."""
_LEAST_SHARE = 8_000
_LONGEST_PROMPT = 200_000


def pieces(
    results: Results, cards: Sequence[TaskCard], evidence: Iterable[tuple[AttemptResult, AttemptEvidence]]
) -> Iterator[str]:
    """The file, piece by piece: nothing but the piece at hand is kept in memory.

    ``evidence`` comes in the order of ``results.attempts``. The same records always give the same text.
    """
    by_id = {card.id: card for card in cards}
    share = max(_LEAST_SHARE, ROOM // max(1, len(results.attempts)))
    styles = "".join(_asset(name) for name in _STYLES)
    library = _asset(_LIBRARY).partition("//# sourceMappingURL")[0]
    script = f'"use strict";\n(() => {{\n{"".join(_asset(name) for name in _SCRIPTS)}}})();\n'
    rows = heat_rows(results)
    yield _template().render(
        policy=_policy(scripts=(library, script), styles=(styles,)), styles=_raw(styles), **_view(results, rows)
    )
    yield _block("data", json_block(all_shown(_data(results, rows))))
    for number_, task in enumerate(results.tasks):
        yield _block(f"task-{number_}", f'"{packed(all_shown(_prompt(by_id.get(task.id))))}"')
    for number_, (attempt, found) in enumerate(evidence):
        yield _block(f"attempt-{number_}", f'"{pack_attempt(attempt, by_id.get(attempt.task), found, share)}"')
    yield f"<script>{library}</script>\n<script>{script}</script>\n</body>\n</html>\n"


def _view(results: Results, rows: Sequence[HeatRow]) -> dict[str, Any]:
    """What the template is filled with."""
    several = max((attempt.epoch for attempt in results.attempts), default=1)
    return {
        "run": results.run,
        "headings": list(heading(results)),
        "ranked": board(results.leaderboard, results.models) if results.selfcheck is None else None,
        "incomplete": board(results.incomplete, results.models) if results.selfcheck is None else None,
        "tasks": results.tasks,
        "models": results.models,
        "heat": rows,
        "epochs": several,
        "reduced": (epochs.head(results.reduced), list(epochs.rows(results.reduced))) if results.reduced else None,
        "check": (selfcheck.COLUMNS, selfcheck.rows(results.selfcheck), list(selfcheck.lines(results.selfcheck)))
        if results.selfcheck
        else None,
        "axes": axes(results),
        "troubles": troubles(results),
        "provenance": list(provenance(results)),
        "said": said,
        "number": number,
    }


def _data(results: Results, rows: Sequence[HeatRow]) -> dict[str, Any]:
    """What the scripts work with; keys of attempts are their links."""
    places = {task.id: place for place, task in enumerate(results.tasks)}
    return {
        "attempts": [
            {
                "link": attempt_link(each),
                "task": places.get(each.task, -1),
                "model": each.model,
                "epoch": each.epoch,
                "text": attempt_text(each),
            }
            for each in results.attempts
        ],
        "tasks": [
            {
                "id": task.id,
                "points": task.max_points,
                "criteria": [{"id": str(c["id"]), "title": str(c.get("title") or "")} for c in task.criteria],
            }
            for task in results.tasks
        ],
        "heat": [[cell.points if cell else None for cell in row.cells] for row in rows],
        "axes": [
            {
                "name": f"{axis.name} ({axis.unit})",
                "places": [
                    {"model": name, "x": x, "y": y, "front": name in axis.front} for name, (x, y) in axis.places.items()
                ],
            }
            for axis in axes(results)
        ],
        "profiles": {
            row.model: [row.per_task.get(task.id) for task in results.tasks]
            for row in [*results.leaderboard, *results.incomplete]
        },
        "best": [
            max((row.per_task.get(task.id) or 0.0 for row in results.leaderboard), default=None)
            for task in results.tasks
        ],
    }


def _prompt(card: TaskCard | None) -> dict[str, Any]:
    messages = card.messages if card else ()
    return {
        "messages": [
            {"role": message.role, "text": text, "cut": said}
            for message in messages
            for text, said in [cut(message.content, _LONGEST_PROMPT)]
        ]
    }


def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    return environment.get_template("page.html.j2")


def _raw(text: str) -> Any:
    """Text of ours that goes into the page as it is."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  # our own style sheet


def _policy(*, scripts: Iterable[str], styles: Iterable[str]) -> str:
    """Nothing but these very scripts and styles, nothing from anywhere else, and no text turned into elements."""
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _hashes(texts: Iterable[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _block(name: str, content: str) -> str:
    return f'<script type="application/json" id="{name}">{content}</script>\n'


def _asset(name: str) -> str:
    return (_HERE / "assets" / name).read_text(encoding="utf-8")
