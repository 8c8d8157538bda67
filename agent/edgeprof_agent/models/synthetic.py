"""Writes a synthetic model: a published shape, random weights, real quantised blocks.

Speed, memory and heat are those of the real model, for they depend on the shape and on the types of the tensors; the
text is noise. The file is streamed: memory does not grow with the model.
"""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np

from edgeprof_agent.models.presets import Shape, SyntheticSpec
from edgeprof_agent.models.synced import SYNC_BYTES, sync
from edgeprof_agent.models.tensors import SyntheticTensor, tensors_of
from edgeprof_agent.models.vocabulary import make_vocabulary
from edgeprof_agent.models.weights import VERSION, WeightPool, pool_of

SYNTHETIC_KEY = "edgeprof.synthetic.version"
"""Metadata key by which a synthetic model is told from a real one, wherever its file has gone."""


def write_model(spec: SyntheticSpec, path: Path, on_progress: Callable[[float], None]) -> None:
    """Write the model to ``path`` and onto the disk. ``on_progress`` gets the share that is done.

    Raises:
        OSError: the disk is full or the folder cannot be written to; the file is then incomplete.
    """
    tensors = tensors_of(spec)
    writer = gguf.GGUFWriter(path, spec.shape.architecture)
    try:
        _add_metadata(writer, spec)
        for tensor in tensors:
            kind = gguf.GGMLQuantizationType[tensor.type.name]
            rows_first = tensor.dimensions[::-1]
            writer.add_tensor_info(tensor.name, rows_first, np.dtype(np.float32), tensor.bytes, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        _write_tensors(writer, tensors, pool_of(spec.shape), on_progress)
    finally:
        writer.close()


def _write_tensors(
    writer: gguf.GGUFWriter,
    tensors: tuple[SyntheticTensor, ...],
    pool: WeightPool,
    on_progress: Callable[[float], None],
) -> None:
    (file,) = writer.fout
    writer.write_padding(file, file.tell())
    total, done, unsynced = sum(tensor.bytes for tensor in tensors), 0, 0
    for tensor in tensors:
        pieces = iter([np.array(tensor.values, dtype="<f4")]) if tensor.values else pool.stored(tensor)
        for piece in pieces:
            file.write(piece.data)
            done += piece.nbytes
            unsynced += piece.nbytes
            if unsynced >= SYNC_BYTES:  # else all the waiting would come at the end, after the last progress
                sync(file)
                unsynced = 0
            on_progress(done / total)
        writer.write_padding(file, tensor.bytes)
    sync(file)


def _add_metadata(writer: gguf.GGUFWriter, spec: SyntheticSpec) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(spec.name)
    writer.add_description("Random weights in a published shape, written by edgeprof: its text is noise")
    writer.add_uint32(SYNTHETIC_KEY, VERSION)
    writer.add_file_type(int(gguf.LlamaFileType[f"MOSTLY_{spec.quantisation.label}"]))
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_shape(writer, spec.shape)
    vocabulary = make_vocabulary(spec.shape.vocabulary_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.token_types)
    writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.end_of_text)
    writer.add_eos_token_id(vocabulary.end_of_text)
    writer.add_add_bos_token(False)


def _add_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.embedding_length)
    writer.add_block_count(shape.layer_count)
    writer.add_feed_forward_length(shape.feed_forward_length)
    writer.add_head_count(shape.head_count)
    writer.add_head_count_kv(shape.head_count_kv)
    writer.add_key_length(shape.head_length)
    writer.add_value_length(shape.head_length)
    writer.add_rope_dimension_count(shape.head_length)
    writer.add_rope_freq_base(shape.rope_frequency_base)
    writer.add_layer_norm_rms_eps(shape.rms_epsilon)
    writer.add_vocab_size(shape.vocabulary_size)
    if shape.expert_count:
        writer.add_expert_count(shape.expert_count)
        writer.add_expert_used_count(shape.expert_used_count)
