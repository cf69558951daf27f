"""Mends what keeps a Go program from being built, where the compiler's messages alone say how.

That is: imports that are missing or not used, variables that are not used, ``:=`` without a new variable, results that
are left out, handlers given where handler functions are wanted and the other way round, and a rate limiter from outside
the standard library. Anything else stays broken, and so do files that are much longer than any answer has to be.

All of it is linear in the length of the file: the tree is walked once, and places are looked up for all messages
together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any

Edit = tuple[int, int, str]
"""Bytes from, to, and what comes in their place."""

_PATHS = (
    "bufio bytes cmp container/heap container/list container/ring context encoding/json errors flag fmt hash/fnv io "
    "log log/slog maps math math/rand net net/http net/netip net/url os os/signal path regexp runtime slices sort "
    "strconv strings sync sync/atomic syscall time"
)
PACKAGES = {path.rpartition("/")[2]: path for path in _PATHS.split()}
RATE = "golang.org/x/time/rate"
LONGEST, LONGEST_LINE = 100_000, 1_000
"""Characters of a file and of one of its lines. ast-grep counts those of a line anew for every node in it."""
MOST_MESSAGES = 300
"""Of the compiler's that are looked at in one round."""
MOST_LEVELS = 20
"""Between a variable and the statement that declares it."""
_MESSAGE = re.compile(r"^(?:\./)?main\.go:(\d{1,7}):(\d{1,7}): (.*)$", re.MULTILINE)


def repaired(text: str, said: str, tree: Callable[[str], Any]) -> str | None:
    """The program with all edits that the compiler's messages ask for; None when there is none.

    ``tree`` parses a text and gives ast-grep's root node.
    """
    if len(text) > LONGEST or max(map(len, text.split("\n"))) > LONGEST_LINE:
        return None
    messages = [match.groups() for match in islice(_MESSAGE.finditer(said), MOST_MESSAGES)]
    source = _Source(text, tree(text), {int(line) for line, _, _ in messages})
    edits = {edit for line, column, message in messages for edit in source.edits(line, column, message)}
    if not edits:
        return None
    data, end = source.data, len(source.data)
    for start, stop, new in sorted(edits, reverse=True):
        if stop <= end:
            data, end = data[:start] + new.encode() + data[stop:], start
    return data.decode()


class _Source:
    """A program, with places as the compiler counts them: lines and bytes in them, from 1."""

    def __init__(self, text: str, root: Any, lines: Collection[int]) -> None:
        """``lines``: those that anything is asked about."""
        self.data = text.encode()
        self._starts = [0, *(match.end() for match in re.finditer(rb"\n", self.data))]
        self._offsets = [0]
        for character in text:
            self._offsets.append(self._offsets[-1] + len(character.encode()))
        self._clauses = [child for child in root.children() if child.kind() == "package_clause"]
        self._nodes: list[tuple[Any, int]] = []
        """Every node, parents first, and where in this list the one that it is in stands."""
        self._beginning: dict[int, list[int]] = {}
        """Places on those lines -> nodes that begin there, the outermost first."""
        waiting = [(root, -1)]
        while waiting:
            node, above = waiting.pop()
            number = len(self._nodes)
            self._nodes.append((node, above))
            start = node.range().start
            if start.line + 1 in lines:
                self._beginning.setdefault(self._offsets[start.index], []).append(number)
            waiting += [(child, number) for child in node.children()]

    def edits(self, line: str, column: str, message: str) -> list[Edit]:
        """What one message asks for."""
        place = self._starts[min(int(line), len(self._starts)) - 1] + int(column) - 1
        for pattern, mend in _MENDS:
            if match := re.search(pattern, message):
                return mend(self, place, *match.groups())
        return []

    def vendor(self, place: int) -> list[Edit]:
        """Take our own stand-in for a package that is not there."""
        return [self._replaced(node, '"notes/rate"') for node in self._at(place, "interpreted_string_literal")]

    def do_not_import(self, place: int, path: str) -> list[Edit]:
        """Import a package for nothing."""
        return [self._replaced(node, f'_ "{path}"') for node in self._at(place, "import_spec")]

    def import_package(self, _place: int, name: str) -> list[Edit]:
        """Import a package of the standard library, in the line of the package clause."""
        known = self._clauses and name in PACKAGES
        return [self._after(self._clauses[0], f'; import "{PACKAGES[name]}"')] if known else []

    def use(self, place: int, name: str) -> list[Edit]:
        """Use a variable where it is declared; in the head of a statement, rather do without it."""
        for number in self._beginning.get(place, []):
            node, above = self._nodes[number]
            if node.kind() != "identifier":
                continue
            for _ in range(MOST_LEVELS):
                declaration, above = self._nodes[above]
                if above < 0:
                    break
                if declaration.kind() in _DECLARATIONS and self._nodes[above][0].kind() in _BLOCKS:
                    return [self._after(declaration, f"; _ = {name}")]
                if declaration.kind() in _DECLARATIONS:
                    break
            return [self._replaced(node, "_")]
        return []

    def assign(self, place: int) -> list[Edit]:
        """Assign to variables that are there already."""
        return [(place, place + 2, "=")] if self.data[place : place + 2] == b":=" else []

    def take_all(self, place: int, taken: str, given: str) -> list[Edit]:
        """Take all results of a function, those left out under no name."""
        missing = int(given) - int(taken)
        return [self._after(node, ", _" * missing) for node in self._at(place, "expression_list")[:1]]

    def make_handler(self, place: int) -> list[Edit]:
        """Turn a function into an ``http.Handler``."""
        return [self._replaced(node, f"http.HandlerFunc({node.text()})") for node in self._expressions(place)[:1]]

    def make_function(self, place: int) -> list[Edit]:
        """Turn an ``http.Handler`` into a function."""
        return [self._after(node, ".ServeHTTP") for node in self._expressions(place)[:1]]

    def _at(self, place: int, *kinds: str) -> list[Any]:
        """Nodes that begin there, the outermost first."""
        found = (self._nodes[number][0] for number in self._beginning.get(place, []))
        return [node for node in found if not kinds or node.kind() in kinds]

    def _expressions(self, place: int) -> list[Any]:
        return [node for node in self._at(place) if node.kind().endswith(("identifier", "expression", "func_literal"))]

    def _span(self, node: Any) -> tuple[int, int]:
        span = node.range()
        return self._offsets[span.start.index], self._offsets[span.end.index]

    def _after(self, node: Any, new: str) -> Edit:
        end = self._span(node)[1]
        return end, end, new

    def _replaced(self, node: Any, new: str) -> Edit:
        return (*self._span(node), new)


_DECLARATIONS = ("short_var_declaration", "var_declaration")
_BLOCKS = ("block", "statement_list", "expression_case", "default_case", "communication_case")
_FUNCTION = r"(?:http\.HandlerFunc|func\(\w* ?http\.ResponseWriter, \w* ?\*http\.Request\))"
_MENDS: list[tuple[str, Callable[..., list[Edit]]]] = [
    (re.escape(RATE), _Source.vendor),
    (r'^"(.+)" imported (?:as \S+ )?and not used', _Source.do_not_import),
    (r"^undefined: (\w+)", _Source.import_package),
    (r"^declared and not used: (\w+)", _Source.use),
    (r"^no new variables on left side of :=", _Source.assign),
    (r"^assignment mismatch: (\d) variables? but .* returns? (\d) values?", _Source.take_all),
    (r"^cannot use .* as http\.Handler value in ", _Source.make_handler),
    (rf"^cannot use .* as {_FUNCTION} value in ", _Source.make_function),
]
"""What the compiler says -> what is done about it, with the parts in parentheses."""
