"""What is tried with the logger, the cache and the pipeline: scripts for ``play.mjs``."""

from pytest_llmbench import seeded

LEVELS = ("debug", "info", "warn", "error")
FIELDS = (None, {}, {"user": "ann", "n": 1}, {"late": None, "list": [1, 2]}, {"error": "own", "user": "bob"})


def logger_script(seed):
    rng = seeded(seed)
    names, steps = ["root"], []

    def fields():
        chosen = rng.choice(FIELDS)
        return [] if chosen is None else [chosen]

    for number in range(30):
        name, level, text = rng.choice(names), rng.choice(LEVELS), f"message {number}"
        kind = rng.choice(("log", "log", "log", "lazy", "failure", "shouldLog", "count", "child", "advance", "meddle"))
        if kind == "log":
            steps.append([level, name, text, *fields()])
        elif kind == "lazy":
            steps.append(["lazy", name, text, *fields()])
        elif kind == "failure":
            steps.append(["failure", name, rng.choice(("TypeError", "Odd")), text, *fields()])
        elif kind in ("shouldLog", "count"):
            steps.append([kind, name, level])
        elif kind == "child":
            names.append(f"child{number}")
            steps.append(["child", name, names[-1], rng.choice(("db", "http")), *fields()])
        else:
            steps.append(["advance", rng.randint(1, 5000)] if kind == "advance" else ["meddle"])
    options = {
        **({"level": rng.choice((*LEVELS, "silent", "debug"))} if seed % 5 else {}),
        **({"scope": "app"} if seed % 2 else {}),
        **({"fields": {"app": "x", "user": "root"}} if seed % 3 else {}),
        **({"sinks": seed % 4} if seed % 4 else {}),
        "clock": bool(seed % 2),
    }
    everything = [[what, name, level] for name in names for level in LEVELS for what in ("count", "shouldLog")]
    return {"options": options, "steps": [*steps, *everything]}


def format_script(seed):
    rng = seeded(seed)
    values = ("text", "with space", "", 0, 1.5, True, None, [1, "a"], {"a": {"b": 1}})
    entries = [
        {
            "time": 1_700_000_000_000 + rng.randint(0, 10**10),
            "level": level,
            "scope": rng.choice(("", "app", "app:db")),
            "message": rng.choice(("started", "a b c", "")),
            "fields": {name: rng.choice(values) for name in rng.sample("abcdef", rng.randint(0, 4))},
        }
        for level in LEVELS * 3
    ]
    return {"options": {}, "steps": [["levels"], *(["format", entry] for entry in entries)]}


def cache_script(seed):
    rng = seeded(seed)
    keys = ["a", "b", "c", "d", "10", "9", "__proto__", ""][: 4 + seed % 5]
    steps = []
    for _ in range(80):
        key, what = (
            rng.choice(keys),
            rng.choice(("get", "get", "has", "set", "set", "set", "delete", "keys", "advance")),
        )
        if what == "set":
            value = rng.choice((1, 0, "", "text", None, False, [1]))
            steps.append(["set", key, value, *([rng.choice((0, 5, 50))] if rng.random() < 0.3 else [])])
        elif what == "advance":
            steps.append(["advance", rng.choice((1, 5, 10, 40))])
        else:
            steps.append([what] if what == "keys" else [what, key])
        if rng.random() < 0.1:
            steps.append(["meddle"])
        if rng.random() < 0.2:
            steps.append(["stats"])
    options = {"capacity": 1 + seed % 4, "clock": bool(seed % 2), **({"ttl": 20} if seed % 3 else {})}
    return {"options": options, "steps": [*steps, ["keys"], ["stats"]]}


OUTCOMES = (
    *({"status": status, "body": {"n": status}} for status in (200, 200, 201, 204, 299, 300, 304, 399)),
    *({"status": status, "body": "no"} for status in (400, 404, 404, 499, 500, 503)),
    {"fails": "no route", "kind": "error"},
    {"fails": "just text", "kind": "text"},
    {"fails": "refused", "kind": "own"},
)
HEADERS = (None, {}, {"accept": "text"}, {"content-type": "text/plain", "x": "1"}, {"x": "2", "b": "1", "a": "2"})


def request_steps(rng, count):
    steps = []
    for number in range(count):
        what, headers = rng.choice(("get", "get", "post", "delete")), rng.choice(HEADERS)
        body = [rng.choice(({"n": number}, "text", None, 0))] if what == "post" else []
        steps.append([what, f"/{rng.choice('xyz')}", *body, *([] if headers is None else [headers])])
    return steps


def pipeline_script(seed, *, middleware=True):
    rng = seeded(seed)
    answers = [{"ms": rng.randint(0, 90), **rng.choice(OUTCOMES)} for _ in range(12)]
    uses = [
        ["use", "retry", {"attempts": 1 + seed % 4, "delay": 100}],
        ["use", "cache", {"capacity": 10}],
        ["use", "tag", "outer"],
        ["use", "tag", "inner"],
        *([["use", "breaks", "broken"], ["use", "answer", 404]] if seed % 4 == 0 else []),
    ]
    rng.shuffle(uses)
    options = {
        "answers": answers,
        "level": "debug",  # what Logger and CacheStore do wrong elsewhere is not to be met again here
        "clock": bool(seed % 2),
        **({"headers": {"content-type": "app", "x": "0"} if seed % 3 == 1 else {"x": "0"}} if seed % 3 else {}),
    }
    used = uses[: rng.randint(1, len(uses))] if middleware else []
    return {"options": options, "steps": [*used, *request_steps(rng, 14)]}


REQUESTS = [
    {"method": "GET", "url": "/x", "headers": dict(rng)} for rng in ({}, {"b": "1", "a": "2"}, {"B": "1", "a": ""})
]
PLAIN = {"answers": [{"ms": 5, "status": 200, "body": "fine"}], "level": "debug", "clock": True}
SCRIPTS = {
    "Logger": {
        "basic": [
            {
                "options": {"level": "debug", "sinks": 1, "clock": True, "scope": "app"},
                "steps": [[level, "root", f"a {level} message", {"n": 1}] for level in LEVELS],
            }
        ],
        "all": [*map(logger_script, range(30)), *map(format_script, range(3))],
    },
    "CacheStore": {
        "basic": [
            {
                "options": {"capacity": 2, "clock": True},
                "steps": [["set", "a", 1], ["set", "b", 2], ["get", "a"], ["set", "c", 3], ["get", "b"], ["get", "c"]],
            }
        ],
        "all": [
            *map(cache_script, range(30)),
            *({"options": {"capacity": capacity}, "steps": [["keys"]]} for capacity in (0, -1, 1)),
        ],
    },
    "RequestPipeline": {
        "basic": [{"options": PLAIN, "steps": [["get", "/x"], ["post", "/x", {"n": 1}], ["delete", "/x"]]}],
        "all": [
            *(pipeline_script(seed, middleware=False) for seed in range(12)),
            *(pipeline_script(seed) for seed in range(100, 130)),
            {"options": PLAIN, "steps": [["key", request] for request in REQUESTS]},
            {"options": PLAIN, "steps": [["fail", "text", REQUESTS[0]], ["fail", "text", REQUESTS[1], 500]]},
        ],
    },
}
