"""Writes into the pages what the code knows: the table of options, and that of the llmbench command's parts.

``make docs`` runs it; ``tests/unit/test_docs.py`` sees that the pages are as it would leave them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_llmbench.cli.main import COMMANDS
from pytest_llmbench.plugin.options.table import OPTIONS, Option

PAGES = Path(__file__).parent
_DEFAULT = re.compile(r"(?P<what>.*?) \(default: (?P<default>.*)\)", re.DOTALL)


def main() -> None:
    """Write every table anew."""
    for name in ("options.md", "reports.md"):
        path = PAGES / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str) -> str:
    """The page with its generated parts as the code has them."""
    for name, lines in (("options", options()), ("commands", commands())):
        start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        before, found, rest = page.partition(start)
        if found:
            table = "\n".join(lines)
            page = f"{before}{start}\n{table}\n\n{end}{rest.partition(end)[2]}"
    return page


def options() -> Iterator[str]:
    """The table of options."""
    yield "| option | environment | ini | default | what it is |"
    yield "| --- | --- | --- | --- | --- |"
    for option in OPTIONS:
        what, default = described(option)
        value = f"={option.metavar}" if option.metavar else ""
        yield f"| `{option.flag}{value}` | `{option.variable}` | `{option.dest}` | {default} | {what} |"


def described(option: Option) -> tuple[str, str]:
    """What an option is, and its default."""
    found = _DEFAULT.fullmatch(option.help)
    if found:
        return found["what"], found["default"]
    return option.help, "off" if option.switch else "none"


def commands() -> Iterator[str]:
    """The table of subcommands."""
    yield "| command | what it does |"
    yield "| --- | --- |"
    for command in COMMANDS:
        yield f"| `llmbench {command.NAME}` | {command.HELP} |"


if __name__ == "__main__":
    main()
