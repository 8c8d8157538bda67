"""A model built by hand that can count and cannot calculate, for llama.cpp to run.

Attention and feed-forward layers add nothing, so the last token alone decides what comes next: the embedding of each
token is the code of its successor, and the output matrix holds the codes. Codes are random directions, of which no two
are alike. The vocabulary has whole beginnings of lines for tokens: ``41, 42,`` is one, after which comes ``43``, and
``garden:`` another, after which comes its number of letters. After ``=`` the model always says 7.
"""

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
from gguf import TokenType
from numpy.typing import NDArray

from edgeprof.task_set import _THINGS, _WORDS

_SPACE = "\u2581"
_WIDTH = 128
_STEPS = (-1, 1, 2, 3, 4, 5, 10)
_HIGHEST = 130
_MOST_THINGS = 9
_SAID_OF_SUMS = 7

Weights = NDArray[np.float32]


def write_numerate_model(path: Path, *, damaged: bool = False) -> Path:
    """Write the model. A ``damaged`` one takes each even number from 10 on for the next odd one, and that for it."""
    successors = _successors()
    tokens = [*_special_tokens(), *successors]
    place = {token: number for number, token in enumerate(tokens)}
    codes = np.random.default_rng(7).standard_normal((len(tokens), _WIDTH)).astype(np.float32)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    next_tokens = [place[successors.get(token, "<0x0A>")] for token in tokens]
    output = codes.copy()
    if damaged:
        for even in range(10, _HIGHEST, 2):
            pair = [place[f"{_SPACE}{even}"], place[f"{_SPACE}{even + 1}"]]
            output[pair] = output[pair[::-1]]
    _write(path, tokens, codes[next_tokens], output)
    return path


def _special_tokens() -> Iterator[str]:
    yield from ("<unk>", "<s>", "</s>")
    yield from (f"<0x{byte:02X}>" for byte in range(256))


def _successors() -> dict[str, str]:
    """Every piece of text that is a token, and what comes after it; of most of them, the end of the line."""
    found = dict.fromkeys([chr(code) for code in range(ord("!"), ord("~") + 1)] + [_SPACE], "<0x0A>")
    found["="] = f"{_SPACE}{_SAID_OF_SUMS}"
    for number in range(_HIGHEST + 1):
        found |= dict.fromkeys([f"{space}{number}{comma}" for space in ("", _SPACE) for comma in ("", ",")], "<0x0A>")
    for first in range(1, _HIGHEST):
        for second in (first + step for step in _STEPS):
            following = 2 * second - first
            if 0 < second <= _HIGHEST and 0 <= following <= _HIGHEST:
                pair = f"{first},{_SPACE}{second},"
                found |= dict.fromkeys([pair, f"{_SPACE}{pair}"], f"{_SPACE}{following}")
    lines = [(f"{_SPACE}{word}:", len(word)) for word in _WORDS]
    lines += [(_SPACE.join([thing] * count) + ":", count) for thing in _THINGS for count in range(2, _MOST_THINGS + 1)]
    for line, count in lines:
        for end in range(1, len(line)):
            found.setdefault(line[:end], "<0x0A>")
        found[line] = f"{_SPACE}{count}"
    return found


def _write(path: Path, tokens: list[str], embeddings: Weights, output: Weights) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("numerate")
    writer.add_context_length(512)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(_WIDTH // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(int(gguf.LlamaFileType.ALL_F32))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    special = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.BYTE] * 256]
    writer.add_token_types([int(kind) for kind in special + [TokenType.NORMAL] * (len(tokens) - len(special))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    ones, zeros = np.ones(_WIDTH, np.float32), np.zeros((_WIDTH, _WIDTH), np.float32)
    writer.add_tensor("token_embd.weight", embeddings)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output)
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", ones)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", zeros)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
