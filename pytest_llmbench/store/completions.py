"""The cache of good completions, keyed by request: each request is sent once, every later run reuses its reply."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import StoreError
from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.store.records import Record, parse_record
from pytest_llmbench.store.run_dir import reading, writing
from pytest_llmbench.untrusted import files, json_text

MOST_BYTES = 96 * 2**20
"""Of a stored reply with its request: 20 MB of any characters, each an escape, and the conversation before it."""
_MOST_STORED = 1_000_000
_HEAD = b'"asked": '
_HEAD_BYTES = 4096


class CompletionStore:
    """A directory of completions, each under the SHA-256 of its whole request. Safe with several sessions at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._requests: list[CompletionRequest] | None = None
        self.run = ""
        """Id of the run that stores."""
        self.damaged: dict[str, str] = {}
        """File -> what is wrong with it, of every one that counted as none."""
        self._aliases: dict[tuple[str, str], dict[str, None]] = {}
        self._last_made_by: dict[tuple[str, str], dict[str, Any]] = {}
        self._made_otherwise: Counter[str] = Counter()

    def load(self, request: CompletionRequest) -> Completion | None:
        """The stored completion of an equal request; a damaged file counts as missing, and is noted.

        So is one that differs only in what answered.
        """
        found = self._record(_name(request), Completion, "completion")
        if found is None:
            self._note_others(request)
        return found

    def save(self, request: CompletionRequest, completion: Completion) -> None:
        """Store a completion; raises ``StoreError`` if it cannot be written."""
        content = {
            # First in the file: read without the rest.
            "asked": {"aliases": request.aliases, "endpoint": request.endpoint, "model": request.model},
            "run": self.run,
            "request": request.model_dump(mode="json"),
            "completion": completion.model_dump(mode="json"),
        }
        with writing(self._folder / _name(request)):
            text = json.dumps(content, indent=1, sort_keys=True).encode()
            files.write(self._folder.parent, f"{self._folder.name}/{_name(request)}", [text])

    @property
    def made_otherwise(self) -> list[str]:
        """Why stored replies to equal requests were not used: another model or other settings answered. A line each."""
        return [
            f"{count} stored {'reply' if count == 1 else 'replies'} {why}, and cannot stand for this server's."
            for why, count in self._made_otherwise.items()
        ]

    def last_made_by(self, model: str, endpoint: str) -> dict[str, Any]:
        """What answered the completion of this model that was stored last; empty: it was not told, or none is."""
        key = (model, endpoint)
        if key not in self._last_made_by:
            mine = [name for name in self._names() if self._asked(name) == key]
            for name in sorted(mine, key=self._stored_at, reverse=True):
                if (request := self._record(name, CompletionRequest, "request")) is not None:
                    self._last_made_by[key] = request.made_by
                    break
        return self._last_made_by.setdefault(key, {})

    def stored_by(self, request: CompletionRequest) -> str | None:
        """The run that requested the stored completion; None: unknown."""
        try:
            run = json_text.parse(self._read(_name(request)) or b"null")["run"]
        except (StoreError, ValueError, KeyError, TypeError):
            return None
        return run if isinstance(run, str) else None

    def models(self) -> list[tuple[str, str]]:
        """Model and endpoint of every stored completion, each pair once; reads no more than the beginnings of files."""
        found = {self._asked(name) for name in self._names()}
        return sorted(pair for pair in found if pair is not None)

    def aliases(self, model: str, endpoint: str) -> tuple[str, ...]:
        """Other names of one of the ``models``, as its server listed them when it was asked."""
        return tuple(self._aliases.get((model, endpoint), ()))

    def requests(self) -> list[CompletionRequest]:
        """Every stored request, read once; damaged files are skipped, and noted."""
        if self._requests is None:
            found = (self._record(name, CompletionRequest, "request") for name in self._names())
            self._requests = [request for request in found if request is not None]
        return self._requests

    def difference(self, request: CompletionRequest) -> str:
        """How the most similar stored request of the same model differs from this one; empty: there is none.

        A request with the same conversation is the most similar, however much else differs.
        """
        candidates = [stored for stored in self.requests() if stored.model == request.model]
        if not candidates:
            return ""
        found = [(_other_messages(stored, request), _differences(stored, request)) for stored in candidates]
        _, differences = min(found, key=lambda each: (each[0], len(each[1])))
        return "; ".join(differences)

    def _names(self) -> Iterator[str]:
        """Every file, relative to the folder. What cannot be listed holds none, and is noted."""
        for part in self._list(()):
            if len(part) == 2:  # noqa: PLR2004 - the first two digits
                yield from (f"{part}/{name}" for name in self._list((part,)) if name.endswith(".json"))

    def _note_others(self, request: CompletionRequest) -> None:
        """Note a stored request that differs from this one in what answered, and in nothing else."""
        folder, _, own = _name(request).partition("/")
        asked = own.removesuffix(".json").partition("-")[0]
        if not (self._folder / folder).exists():
            return
        for name in self._list((folder,)):
            if name != own and name.startswith(asked) and name.endswith(".json"):
                other = self._record(f"{folder}/{name}", CompletionRequest, "request")
                if other is not None:
                    differences = "; ".join(_differences(other, request))
                    self._made_otherwise[f"of {request.model} at {request.endpoint} differ in {differences}"] += 1
                    return

    def _stored_at(self, name: str) -> int:
        """When a file was written; 0: it cannot be read."""
        try:
            with files.opened(self._folder.parent, f"{self._folder.name}/{name}", most_bytes=MOST_BYTES) as file:
                return os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return 0

    def _list(self, parts: tuple[str, ...]) -> list[str]:
        where = self._folder.joinpath(*parts)
        try:
            with reading(where):
                return files.names(self._folder.parent, [self._folder.name, *parts], most=_MOST_STORED)
        except StoreError as error:
            self.damaged[str(where)] = str(error)
        return []

    def _read(self, name: str, most_bytes: int = MOST_BYTES) -> bytes | None:
        with reading(self._folder / name):
            return files.read(self._folder.parent, f"{self._folder.name}/{name}", most_bytes=most_bytes)
        return None

    def _record(self, name: str, kind: type[Record], part: str) -> Record | None:
        try:
            data = self._read(name)
            return parse_record(data, kind, str(self._folder / name), part=part) if data is not None else None
        except StoreError as error:
            self.damaged[name] = str(error)
            return None

    def _asked(self, name: str) -> tuple[str, str] | None:
        """Model and endpoint of one stored completion, from the head of its file; None: damaged."""
        try:
            with files.opened(self._folder.parent, f"{self._folder.name}/{name}", most_bytes=MOST_BYTES) as file:
                head = file.read(_HEAD_BYTES)
            begin = head.index(_HEAD) + len(_HEAD)
            asked = json_text.parse(head[begin : head.index(b"}", begin) + 1])
            key = str(asked["model"]), str(asked["endpoint"])
            told = asked.get("aliases")
        except (OSError, ValueError, KeyError, TypeError):
            # Written before there was a head, or with an endless name in it, or with a brace.
            request = self._record(name, CompletionRequest, "request")
            return (request.model, request.endpoint) if request is not None else None
        names = [each for each in told if isinstance(each, str)] if isinstance(told, list) else []
        self._aliases.setdefault(key, {}).update(dict.fromkeys(names))
        return key


def _name(request: CompletionRequest) -> str:
    fingerprint = request.fingerprint()
    return f"{fingerprint[:2]}/{fingerprint}.json"


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
    there, here = _flat(stored.made_by), _flat(request.made_by)
    found += [
        f"{name} of the server ({_told(there, name)} there, {_told(here, name)} here)"
        for name in dict.fromkeys([*there, *here])
        if there.get(name) != here.get(name)
    ]
    if stored.messages != request.messages:
        system = [[m.content for m in each.messages if m.role == "system"] for each in (stored, request)]
        found.append("the system prompt" if system[0] != system[1] else "the prompt")
    return found


def _flat(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """What answers, its tables of settings laid out beside the rest."""
    flat: dict[str, Any] = {}
    for name, value in made_by.items():
        flat.update(value if isinstance(value, Mapping) else {name: value})
    return flat


def _told(made_by: Mapping[str, Any], name: str) -> str:
    return repr(made_by[name]) if name in made_by else "not told"
