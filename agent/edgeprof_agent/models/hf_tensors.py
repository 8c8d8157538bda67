"""The tensors of a shape by the names that Hugging Face's transformers gives them, and where each lies in the file.

The names are those of published checkpoints (and, for MLX's quantised ones, of what ``mlx_lm convert`` writes). The
weights are those of the GGUF file of the shape. There the rows of queries and keys of a ``llama`` are in the order in
which llama.cpp rotates them, pairs side by side, for ``convert_hf_to_gguf.py`` permutes them; here they are in the
order of the checkpoint, the first half of each head before the second.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgeprof_agent.models.mlx_groups import LEVEL_BITS
from edgeprof_agent.models.presets import Shape
from edgeprof_agent.models.safetensors_header import SafeTensor
from edgeprof_agent.models.tensors import SyntheticTensor

_LAYER = re.compile(r"blk\.(\d+)\.(.+)\.(weight|bias)")
_OUTSIDE_OF_LAYERS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_IN_LAYERS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_gate_inp": "mlp.gate",
}
_EXPERTS = {"ffn_gate_exps": "gate_proj", "ffn_up_exps": "up_proj", "ffn_down_exps": "down_proj"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTensor:
    """The weights of one tensor of the shape, and what they are called in the folder.

    ``parts`` are stretches of the file that are written side by side: one, or the levels, scales and biases of MLX's
    quantisation. Each holds one tensor, or one for each expert. ``rotated_heads`` is how many heads the rows belong
    to if they are to be put in the checkpoint's order, else 0.
    """

    source: SyntheticTensor
    parts: tuple[tuple[SafeTensor, ...], ...]
    rotated_heads: int

    @property
    def tensors(self) -> tuple[SafeTensor, ...]:
        """All of its tensors, in the order in which they stand in the file."""
        return tuple(tensor for part in self.parts for tensor in part)


def folder_tensor(shape: Shape, source: SyntheticTensor) -> FolderTensor:
    """What becomes of a tensor of this shape in a folder."""
    parts: tuple[tuple[SafeTensor, ...], ...]
    if source.type in LEVEL_BITS:
        parts = tuple((tensor,) for tensor in _quantised(source))
    else:
        parts = (tuple(_plain(shape, source)),)
    return FolderTensor(source=source, parts=parts, rotated_heads=_rotated_heads(shape, source.name))


def _plain(shape: Shape, source: SyntheticTensor) -> Iterator[SafeTensor]:
    """The tensor, or one for each expert, as checkpoints have them."""
    rows_first = source.dimensions[::-1]
    layer = _LAYER.fullmatch(source.name)
    dtype = source.type.name
    if layer and layer[2] in _EXPERTS:
        for expert in range(shape.expert_count):
            name = f"model.layers.{layer[1]}.mlp.experts.{expert}.{_EXPERTS[layer[2]]}.weight"
            yield SafeTensor(name=name, dtype=dtype, shape=rows_first[1:])
    else:
        yield SafeTensor(name=_name(source.name), dtype=dtype, shape=rows_first)


def _quantised(source: SyntheticTensor) -> Iterator[SafeTensor]:
    """Levels packed in 32-bit words, scales and biases; experts stacked in one tensor, as MLX runs them."""
    layer = _LAYER.fullmatch(source.name)
    if layer and layer[2] in _EXPERTS:
        stem = f"model.layers.{layer[1]}.mlp.switch_mlp.{_EXPERTS[layer[2]]}"
    else:
        stem = _name(source.name).removesuffix(".weight")
    *rows, columns = source.dimensions[::-1]
    groups = columns // source.type.block_elements
    yield SafeTensor(name=f"{stem}.weight", dtype="U32", shape=(*rows, columns * LEVEL_BITS[source.type] // 32))
    yield SafeTensor(name=f"{stem}.scales", dtype="F16", shape=(*rows, groups))
    yield SafeTensor(name=f"{stem}.biases", dtype="F16", shape=(*rows, groups))


def _name(name: str) -> str:
    layer = _LAYER.fullmatch(name)
    if not layer:
        return _OUTSIDE_OF_LAYERS[name]
    return f"model.layers.{layer[1]}.{_IN_LAYERS.get(layer[2], layer[2])}.{layer[3]}"


def _rotated_heads(shape: Shape, name: str) -> int:
    if shape.architecture != "llama":
        return 0
    if name.endswith("attn_q.weight"):
        return shape.head_count
    return shape.head_count_kv if name.endswith("attn_k.weight") else 0
