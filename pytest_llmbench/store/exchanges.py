"""Reading what a run folder keeps of one turn."""

from __future__ import annotations

from pytest_llmbench.schema.keys import TurnKey
from pytest_llmbench.schema.outcome import Exchange
from pytest_llmbench.schema.run_files import EXCHANGE
from pytest_llmbench.store.completions import MOST_BYTES
from pytest_llmbench.store.records import parse_record
from pytest_llmbench.store.run_dir import RunDir


def read_exchange(run: RunDir, key: TurnKey) -> Exchange | None:
    """The stored request and outcome of one turn, texts included; None: not stored.

    Raises ``StoreError`` if it is damaged.
    """
    name = f"{run.reply_stem(key)}{EXCHANGE}"
    data = run.read(name, most_bytes=MOST_BYTES)
    return None if data is None else parse_record(data, Exchange, str(run.path / name))
