"""How a server's log is read: which lines are about a request, which statuses and durations stand in them."""

import re
from collections import Counter

STATUSES = {"200", "201", "204", "400", "404", "405", "422", "429"}


def lines_about(log, method, path):
    """The log's lines that have a method and a path; a path that goes on is another one."""
    wanted = [
        re.compile(rf"(?<![\w-]){method}(?![\w-])", re.IGNORECASE),
        re.compile(rf"{re.escape(path)}(?![\w/-])"),
    ]
    plain = re.sub(r"\x1b\[[\d;]*m", "", log)  # without colours
    return [line for line in plain.splitlines() if all(each.search(line) for each in wanted)]


def missing(log, requests):
    """Those of some (method, path, status) that have no line each in the log. A line that says all says nothing."""
    unlogged = []
    for (method, path), count in Counter(request[:2] for request in requests).items():
        told = [
            STATUSES & set(re.findall(r"(?<![\w./])\d{3}(?!\w|\.\d)", line)) for line in lines_about(log, method, path)
        ]
        told = [statuses for statuses in told if len(statuses) < 3]
        if sum(bool(statuses - {"429"}) for statuses in told) > 2 * count:
            unlogged.append(f"{method} {path} (more lines than requests)")
        for status, times in Counter(str(request[2]) for request in requests if request[:2] == (method, path)).items():
            lines = sum(status in statuses for statuses in told)
            if lines < times:
                unlogged.append(f"{method} {path} {status} ({lines} lines for {times} requests)")
    return unlogged


def durations(line):
    """Seconds that numbers in a log line may mean; a number without a unit may mean seconds, ms, microseconds or ns."""
    units = {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
    for number, unit in re.findall(r"(?<![\w.])(\d{1,15}(?:\.\d{1,15})?)\s?((?:ns|[uµμm]?s)\b)?", line):
        for factor in [units[unit]] if unit else [1, 1e-3, 1e-6, 1e-9]:
            yield float(number) * factor
