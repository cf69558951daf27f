"""Good completions by request: asked once, used by every later run."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from pytest_llmbench.schema.attempt import Completion, CompletionRequest
from pytest_llmbench.store.run_dir import write_atomically, writing


class CompletionStore:
    """A folder of completions, each under the SHA-256 of its whole request. Safe with several sessions at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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
        content = {"request": request.model_dump(mode="json"), "completion": completion.model_dump(mode="json")}
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(content, indent=1, sort_keys=True))

    def _path(self, request: CompletionRequest) -> Path:
        fingerprint = request.fingerprint()
        return self._folder / fingerprint[:2] / f"{fingerprint}.json"
