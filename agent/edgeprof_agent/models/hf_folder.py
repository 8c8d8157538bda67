"""Writes a synthetic model as a Hugging Face folder: the floats of the GGUF file, as transformers and MLX read them.

Like the GGUF file it is streamed: memory does not grow with the model.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from edgeprof_agent.models.arrays import Bytes
from edgeprof_agent.models.blocks import quantise
from edgeprof_agent.models.hf_config import SYNTHETIC_KEY, configuration
from edgeprof_agent.models.hf_tensors import FolderTensor, folder_tensor
from edgeprof_agent.models.hf_tokenizer import tokenizer, tokenizer_configuration
from edgeprof_agent.models.mlx_groups import LEVEL_BITS, SCALE_BYTES
from edgeprof_agent.models.presets import SyntheticSpec
from edgeprof_agent.models.safetensors_header import header_bytes
from edgeprof_agent.models.synced import SYNC_BYTES, sync
from edgeprof_agent.models.tensors import tensors_of
from edgeprof_agent.models.vocabulary import make_vocabulary
from edgeprof_agent.models.weights import WeightPool, pool_of

_WEIGHTS = "model.safetensors"
FOLDER_FILES = ("config.json", _WEIGHTS, "tokenizer.json", "tokenizer_config.json")
"""What a synthetic model's folder holds."""


def write_folder(spec: SyntheticSpec, folder: Path, on_progress: Callable[[float], None]) -> None:
    """Write the model into a new ``folder`` and onto the disk. ``on_progress`` gets the share that is done.

    Raises:
        OSError: the disk is full or the folder cannot be written to; it is then incomplete.
    """
    folder.mkdir()
    vocabulary = make_vocabulary(spec.shape.vocabulary_size)
    _write_json(folder / "config.json", configuration(spec, vocabulary.end_of_text))
    _write_json(folder / "tokenizer.json", tokenizer(vocabulary))
    _write_json(
        folder / "tokenizer_config.json", tokenizer_configuration(vocabulary, context_length=spec.shape.context_length)
    )
    _write_weights(folder / _WEIGHTS, spec, on_progress)


def _write_json(path: Path, content: dict[str, object]) -> None:
    with path.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content), indent=1))
        sync(file)


def _write_weights(path: Path, spec: SyntheticSpec, on_progress: Callable[[float], None]) -> None:
    pool = pool_of(spec.shape)
    tensors = [folder_tensor(spec.shape, tensor) for tensor in tensors_of(spec)]
    listed = [tensor for each in tensors for tensor in each.tensors]
    # transformers wants to be told whose layout it is, and that of MLX's quantised tensors is MLX's own.
    layout = "mlx" if any(tensor.source.type in LEVEL_BITS for tensor in tensors) else "pt"
    header = header_bytes(listed, {"format": layout, SYNTHETIC_KEY: spec.name})
    total, done, unsynced = sum(tensor.source.bytes for tensor in tensors), 0, 0
    with path.open("wb") as file:
        file.write(header)
        begin = len(header)
        for tensor in tensors:
            for piece in _pieces(tensor, pool, begin):
                for offset, content in piece:
                    file.seek(offset)
                    file.write(content.data)
                    done += content.nbytes
                    unsynced += content.nbytes
                if unsynced >= SYNC_BYTES:  # else all the waiting would come at the end, after the last progress
                    sync(file)
                    unsynced = 0
                on_progress(done / total)
            begin += tensor.source.bytes
        sync(file)


def _pieces(tensor: FolderTensor, pool: WeightPool, begin: int) -> Iterator[list[tuple[int, Bytes]]]:
    """What a tensor writes where, by a few megabytes: ``begin`` is where its first part starts."""
    source = tensor.source
    if source.values:
        yield [(begin, quantise(np.array([source.values], np.float32), source.type).reshape(-1))]
        return
    offsets = []
    for part in tensor.parts:
        offsets.append(begin)
        begin += sum(each.bytes for each in part)
    for stored in pool.stored(source, tensor.rotated_heads):
        contents = _parts(stored, tensor)
        yield list(zip(offsets, contents, strict=True))
        offsets = [offset + content.nbytes for offset, content in zip(offsets, contents, strict=True)]


def _parts(stored: Bytes, tensor: FolderTensor) -> list[Bytes]:
    """Blocks taken apart: the levels of all, their scales, their biases."""
    kind = tensor.source.type
    if kind not in LEVEL_BITS:
        return [stored]
    blocks = stored.reshape(-1, kind.bytes_of(kind.block_elements))
    columns = (slice(-2 * SCALE_BYTES), slice(-2 * SCALE_BYTES, -SCALE_BYTES), slice(-SCALE_BYTES, None))
    return [np.ascontiguousarray(blocks[:, column]).reshape(-1) for column in columns]
