"""In what two runs can differ other than by luck. The options name the kinds, so pytest loads it at start."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Kind = Literal["sampling", "prompt", "rubric", "quantisation", "context", "limits", "server", "sandbox", "coverage"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Difference(NamedTuple):
    """One thing, other than luck, in which two runs differ."""

    kind: Kind
    what: str
    """Both values, named."""
