"""What a server of notes is asked, and what it has to answer: others for every reply, so that nothing can be known."""

import json

from pytest_llmbench import seeded

WORDS = [
    "tea",
    "milk",
    "bread",
    "lamp",
    "river",
    "stone",
    "cloud",
    "paper",
    "garden",
    "window",
    "copper",
    "button",
    "ladder",
    "candle",
]
BAD_BODY = "the body is no JSON of a note"


class Questions:
    """What the server is asked of notes, and what it has to answer; drawn by the text of the reply."""

    def __init__(self, text):
        rng = seeded(text)
        first, second = (
            {"title": " ".join(rng.sample(WORDS, 2)), "text": " ".join(rng.sample(WORDS, rng.randint(2, 6)))}
            for _ in range(2)
        )
        third = {"title": rng.choice(WORDS), "id": rng.randint(20, 90)}
        error = "no such note"
        kept = [{"id": 1, **first}, {"id": 3, "title": third["title"], "text": ""}]
        self.requests = [
            ("GET", "/notes", "", 200, []),
            ("POST", "/notes", json.dumps(first), 201, kept[0]),
            ("POST", "/notes", json.dumps(second), 201, {"id": 2, **second}),
            ("POST", "/notes", json.dumps(third), 201, kept[1]),
            ("GET", "/notes/2", "", 200, {"id": 2, **second}),
            ("POST", "/notes", rng.choice(["{", "[1, 2]", '"tea"', '{"title": 3}']), 400, {"error": BAD_BODY}),
            ("POST", "/notes", json.dumps({"title": " " * rng.randint(0, 3)}), 422, {"error": "a note needs a title"}),
            ("DELETE", "/notes/2", "", 204, None),
            ("DELETE", "/notes/2", "", 404, {"error": error}),
            ("GET", f"/notes/{rng.choice(WORDS)}", "", 404, {"error": error}),
            ("GET", "/notes", "", 200, kept),
            ("PUT", "/notes/1", "{}", 405, ...),
            ("GET", f"/{rng.choice(WORDS)}/{rng.choice(WORDS)}", "", 404, ...),
        ]
        """Method, path, body, status and JSON of the answer; None: no body, ...: whatever net/http says."""
        self.unknown = f"/notes/{rng.randint(20, 90)}"
        """A note that is not there, which is asked for beyond the limit."""
        self.report = f"2 notes, {len(first['text'].split())} words\n"
        self.report_ms = rng.randint(620, 680)
        """A number that is no status, and unlikely to stand in a log by chance."""
