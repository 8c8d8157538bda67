"""What weights a Hugging Face folder holds, by the headers of its safetensors files.

A quantised matrix lies there as several tensors, which its library puts together again: here they are one, with the
elements it stands for. Known are the layouts of MLX (``weight``, ``scales``, ``biases``), of GPTQ and AWQ (``qweight``
and its fellows), and of EXL2 (``q_weight`` and its fellows); what else there is counts as it is stored.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.hf_quantisation import FolderQuantisation, Method
from edgeprof_agent.models.safetensors_header import SafeTensor, read_header
from edgeprof_agent.models.traffic import StoredTensor

_PACKED = {Method.MLX: "weight", Method.GPTQ: "qweight", Method.AWQ: "qweight", Method.EXL2: "q_weight"}
_WORDS = ("U32", "I32")
_WORD_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """The tensors of one module of the model, by the last part of their names."""

    module: str
    parts: dict[str, SafeTensor]


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a folder.

    Raises:
        EdgeprofError: there is none.
    """
    files = tuple(sorted(folder.glob("*.safetensors")))
    if not files:
        raise EdgeprofError(f"{folder}: has no *.safetensors files: give the folder of a whole model")
    return files


def stored_tensors(folder: Path, quantisation: FolderQuantisation, *, tied: bool) -> tuple[StoredTensor, ...]:
    """Return every weight of the model, named as in a GGUF file as far as `traffic` goes by names.

    ``tied`` says that the embedding serves as the output matrix: a copy of it is then no weight of its own.

    Raises:
        EdgeprofError: there are no weights, or a file is damaged.
    """
    modules: dict[str, dict[str, SafeTensor]] = defaultdict(dict)
    for path in weight_files(folder):
        for tensor in read_header(path):
            module, _, part = tensor.name.rpartition(".")
            modules[module][part] = tensor
    stored: list[StoredTensor] = []
    for module, parts in modules.items():
        if not (tied and module.rpartition(".")[2] == "lm_head"):
            stored += _of_module(_Matrix(module=module, parts=parts), quantisation)
    return tuple(stored)


def _of_module(matrix: _Matrix, quantisation: FolderQuantisation) -> list[StoredTensor]:
    """A quantised matrix as one tensor; the tensors of any other module one by one."""
    packed = matrix.parts.get(_PACKED.get(quantisation.method, ""))
    if packed is None or packed.dtype not in _WORDS:
        return [_as_it_is(matrix.module, part, tensor) for part, tensor in matrix.parts.items()]
    elements, columns = _unpacked(matrix, packed, quantisation)
    rest = {part: tensor for part, tensor in matrix.parts.items() if part == "bias"}
    whole = StoredTensor(
        name=_ggml_name(f"{matrix.module}.weight"),
        dimensions=(columns, elements // columns),
        type=quantisation.type_of(matrix.module),
        elements=elements,
        bytes=sum(tensor.bytes for part, tensor in matrix.parts.items() if part not in rest),
    )
    return [whole, *(_as_it_is(matrix.module, part, tensor) for part, tensor in rest.items())]


def _unpacked(matrix: _Matrix, packed: SafeTensor, quantisation: FolderQuantisation) -> tuple[int, int]:
    """Elements of a packed matrix, and columns, those being the inputs."""
    bits = quantisation.bits_of(matrix.module)
    if quantisation.method is Method.MLX:
        return packed.elements * _WORD_BITS // bits, packed.shape[-1] * _WORD_BITS // bits
    if quantisation.method is Method.EXL2:
        # Each row may have a width of its own; the permutation of the inputs tells how many there are.
        inputs = matrix.parts["q_invperm"].elements
        return inputs * packed.shape[1], inputs
    elements = packed.elements * _WORD_BITS // bits
    inputs = packed.shape[0] * _WORD_BITS // bits if quantisation.method is Method.GPTQ else packed.shape[0]
    return elements, inputs


def _as_it_is(module: str, part: str, tensor: SafeTensor) -> StoredTensor:
    return StoredTensor(
        name=_ggml_name(f"{module}.{part}"),
        dimensions=tensor.shape[::-1] or (1,),
        type=tensor.dtype,
        elements=tensor.elements,
        bytes=tensor.bytes,
    )


def _ggml_name(name: str) -> str:
    """The name with the parts replaced that tell what a decoded token reads of it."""
    name = name.removeprefix("language_model.").removeprefix("model.").removeprefix("language_model.")
    name = re.sub(r"^layers\.(\d+)\.", r"blk.\1.", name)
    name = re.sub(r"\.(experts|switch_mlp)\.", r".ffn_exps.", name)
    return {"embed_tokens.weight": "token_embd.weight", "lm_head.weight": "output.weight"}.get(name, name)
