"""Good completions by request: asked once, used by every later run."""

from __future__ import annotations

import json
from itertools import zip_longest
from pathlib import Path

from pydantic import ValidationError

from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.store.run_dir import write_atomically, writing

_HEAD = '"asked": '
_HEAD_BYTES = 4096


class CompletionStore:
    """A folder of completions, each under the SHA-256 of its whole request. Safe with several sessions at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._requests: list[CompletionRequest] | None = None
        self.run = ""
        """Id of the run that stores."""

    def load(self, request: CompletionRequest) -> Completion | None:
        """The stored completion of an equal request; a damaged file counts as none."""
        try:
            stored = json.loads(self._path(request).read_text(encoding="utf-8"))
            return Completion.model_validate(stored["completion"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            return None

    def save(self, request: CompletionRequest, completion: Completion) -> None:
        """Keep a completion; raises ``StoreError`` when it cannot be written."""
        path = self._path(request)
        content = {
            "asked": {"endpoint": request.endpoint, "model": request.model},  # first in the file: read without the rest
            "run": self.run,
            "request": request.model_dump(mode="json"),
            "completion": completion.model_dump(mode="json"),
        }
        with writing(path):
            write_atomically(path, json.dumps(content, indent=1, sort_keys=True))

    def stored_by(self, request: CompletionRequest) -> str | None:
        """The run that asked for the stored completion; None: not known."""
        try:
            run = json.loads(self._path(request).read_text(encoding="utf-8"))["run"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return run if isinstance(run, str) else None

    def models(self) -> list[tuple[str, str]]:
        """Model and endpoint of every stored completion, each pair once; reads no more than the beginnings of files."""
        found = {_asked(path) for path in self._folder.glob("*/*.json")}
        return sorted(pair for pair in found if pair is not None)

    def requests(self) -> list[CompletionRequest]:
        """Every stored request, read once; damaged files are passed over."""
        if self._requests is None:
            found = (_stored_request(path) for path in sorted(self._folder.glob("*/*.json")))
            self._requests = [request for request in found if request is not None]
        return self._requests

    def difference(self, request: CompletionRequest) -> str:
        """In what the stored request that is most like this one differs; empty when none is of the same model.

        Most alike is one with the same conversation, however much else differs: of another task something always does.
        """
        candidates = [stored for stored in self.requests() if stored.model == request.model]
        if not candidates:
            return ""
        found = [(_other_messages(stored, request), _differences(stored, request)) for stored in candidates]
        _, differences = min(found, key=lambda each: (each[0], len(each[1])))
        return "; ".join(differences)

    def _path(self, request: CompletionRequest) -> Path:
        fingerprint = request.fingerprint()
        return self._folder / fingerprint[:2] / f"{fingerprint}.json"


def _asked(path: Path) -> tuple[str, str] | None:
    """Model and endpoint of one stored completion, from the head of its file; None: damaged."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES).decode(errors="ignore")
        asked, _ = json.JSONDecoder().raw_decode(head[head.index(_HEAD) + len(_HEAD) :])
        return str(asked["model"]), str(asked["endpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        request = _stored_request(path)  # written before there was a head, or with an endless name in it
        return (request.model, request.endpoint) if request is not None else None


def _stored_request(path: Path) -> CompletionRequest | None:
    try:
        return CompletionRequest.model_validate(json.loads(path.read_text(encoding="utf-8"))["request"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def _other_messages(stored: CompletionRequest, request: CompletionRequest) -> int:
    """How many messages of the conversation are not the same, the system prompt aside."""
    both = [[message for message in each.messages if message.role != "system"] for each in (stored, request)]
    return sum(one != other for one, other in zip_longest(*both))


def _differences(stored: CompletionRequest, request: CompletionRequest) -> list[str]:
    found = [
        f"{name} ({getattr(stored, name)!r} there, {getattr(request, name)!r} here)"
        for name in ("endpoint", "epoch", "params")
        if getattr(stored, name) != getattr(request, name)
    ]
    if stored.messages != request.messages:
        system = [[m.content for m in each.messages if m.role == "system"] for each in (stored, request)]
        found.append("the system prompt" if system[0] != system[1] else "the prompt")
    return found
