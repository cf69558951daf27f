"""Which of the replies whose code is known (``written``) are read rightly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from support.written import written

from pytest_llmbench.extraction.extract import extract
from pytest_llmbench.llm.clients.reasoning import separate


@dataclass(frozen=True)
class Miss:
    """A reply whose code was not found as it was written."""

    seed: int
    wrong: bool
    """Whether another text was taken for it; otherwise nothing was, or an error would be reported."""
    why: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {'wrong file' if self.wrong else 'not found'}: {self.why}"


def misses(seeds: Iterable[int]) -> list[Miss]:
    """Those of some seeds."""
    return [miss for seed in seeds if (miss := _miss(seed)) is not None]


def _miss(seed: int) -> Miss | None:
    reply = written(seed)
    parted = separate(reply.text)
    if parted.leak:
        return Miss(seed, wrong=False, why=f"raw tag {parted.leak}; {reply.faults}")
    found = extract(parted.answer, list(reply.files))
    if found.files == reply.files:
        return None
    wrong = any(text != reply.files[name] for name, text in found.files.items())
    return Miss(seed, wrong=wrong, why=f"{found.notes}; {reply.faults}")
