"""GGUF files of a few hundred KiB that say one text each, for a real llama-server.

A transformer of one layer that adds nothing, so that what follows a token depends on that token alone: embeddings are
unit vectors, and the output matrix has a row for each token with a mark at its predecessor. The text is cut into pieces
that are a token each. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

BEGIN, END, USER, SYSTEM, ASSISTANT = "<|begin|>", "<|end|>", "<|user|>", "<|system|>", "<|assistant|>"
_CONTROL = (BEGIN, END, USER, SYSTEM, ASSISTANT)
_MERGE = ("t", "h")
"""A byte-pair vocabulary needs one merge at least."""
_HEAD = 32

PLAIN = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m.role + '|>' + (m.content or '') + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""Chat template of a model that only answers."""
THINKING = (
    "{{ bos_token }}{% for m in messages %}{{ '<|' + m.role + '|>' }}"
    "{% if m.reasoning_content %}{{ '<think>' + m.reasoning_content + '</think>' }}{% endif %}"
    "{{ (m.content or '') + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think></think>' }}{% endif %}{% endif %}"
)
"""Of one whose thoughts the server takes apart from its answer."""


@dataclass(frozen=True)
class Script:
    """What a model says: pieces that differ from each other, and whether it ends or begins again."""

    pieces: Sequence[str]
    ends: bool = True
    template: str = PLAIN


def write_model(path: Path, script: Script) -> None:
    """Write the file; its name without ending is the model's."""
    assert len(set(script.pieces)) == len(script.pieces), "a piece has one successor only"
    tokens = [*_bytes(), *_CONTROL, "".join(_MERGE), *script.pieces]
    kinds = [gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL] * len(_CONTROL) + [gguf.TokenType.NORMAL]
    kinds += [gguf.TokenType.USER_DEFINED] * len(script.pieces)
    number = {token: index for index, token in enumerate(tokens)}
    width = -(-len(tokens) // 64) * 64

    says = [number[piece] for piece in script.pieces]
    follower = np.full(len(tokens), says[0] if says else number[END])
    for here, after in pairwise([*says, number[END] if script.ends else says[0]]):
        follower[here] = after
    embedding = np.eye(len(tokens), width, dtype=np.float32)
    output = np.zeros((len(tokens), width), np.float32)
    output[follower, np.arange(len(tokens))] = 2.0

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(path.stem)
    writer.add_context_length(4096)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(64)
    writer.add_head_count(width // _HEAD)
    writer.add_head_count_kv(width // _HEAD)
    writer.add_rope_dimension_count(_HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_token_merges([" ".join(_MERGE)])
    writer.add_bos_token_id(number[BEGIN])
    writer.add_eos_token_id(number[END])
    writer.add_add_bos_token(False)
    writer.add_chat_template(script.template)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    writer.add_tensor("output.weight", output)
    for name, rows, columns in (
        ("attn_q", width, width), ("attn_k", width, width), ("attn_v", width, width), ("attn_output", width, width),
        ("ffn_gate", 64, width), ("ffn_up", 64, width), ("ffn_down", width, 64),
    ):  # fmt: skip
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((rows, columns), np.float16))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _bytes() -> list[str]:
    """The letters that stand for the 256 bytes in a byte-level vocabulary: printable ones for themselves."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]
