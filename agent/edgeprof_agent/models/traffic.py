"""How much of a model's weights one decoded token reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_LOOKED_UP = ("token_embd.weight", "per_layer_token_embd.weight", "position_embd.weight", "token_types.weight")
"""Tables of which one token needs one row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """A tensor as a file has it. ``dimensions`` is in ggml's order, the length of a row first."""

    name: str
    dimensions: tuple[int, ...]
    type: str
    elements: int
    bytes: int


def weight_bytes_read_per_token(
    tensors: Sequence[StoredTensor], *, expert_count: int, expert_used_count: int, layer_count: int
) -> int:
    """Bytes of weights that an ideal engine reads to decode one token.

    Of an embedding one row, unless it serves as the output matrix too; of stacked experts those that are used; of
    layers past ``layer_count`` (which draft further tokens) nothing; of all else everything.
    """
    tied = all(tensor.name != "output.weight" for tensor in tensors)
    total = 0
    for tensor in tensors:
        layer = re.match(r"blk\.(\d+)\.", tensor.name)
        if layer and int(layer[1]) >= layer_count:
            continue
        if tensor.name in _LOOKED_UP and not (tied and tensor.name == "token_embd.weight"):
            rows = tensor.elements // tensor.dimensions[0]
            total += tensor.bytes // rows
        elif "_exps." in tensor.name and expert_count:
            total += tensor.bytes * expert_used_count // expert_count
        else:
            total += tensor.bytes
    return total
