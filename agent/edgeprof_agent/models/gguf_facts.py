"""The facts of a model file, from its header and its hash."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gguf

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.fingerprint import Fingerprint, fingerprint, unread
from edgeprof_agent.models.gguf_header import GgufHeader, read_header
from edgeprof_agent.models.model_format import ModelFormat
from edgeprof_agent.models.outline import ModelOutline, outline_of
from edgeprof_agent.models.planned import NOT_PARAMETERS
from edgeprof_agent.models.synthetic import SYNTHETIC_KEY
from edgeprof_agent.models.traffic import weight_bytes_read_per_token


def read_facts(
    path: Path,
    cache_folder: Path,
    on_progress: Callable[[float], None],
    await_consent: Callable[[ModelOutline], None],
) -> ModelFacts:
    """Describe the model file at ``path``; its hash is remembered in ``cache_folder``.

    ``await_consent`` is called before the file is read whole, and returns if it is to be.

    Raises:
        EdgeprofError: the file cannot be read, is no whole GGUF file, or holds no model.
    """
    header = read_header(path)
    facts = facts_of(path, header, unread(path))
    await_consent(replace(outline_of(facts), has_vocabulary=_has_vocabulary(header)))
    found = fingerprint(path, cache_folder, on_progress)
    return replace(facts, file_bytes=found.file_bytes, sha256=found.sha256)


def facts_of(path: Path, header: GgufHeader, found: Fingerprint) -> ModelFacts:
    """Describe a model by the header and the fingerprint of its file.

    Raises:
        EdgeprofError: the file holds part of a model, or none.
    """
    _refuse_partial(path, header)
    architecture = header.text("general.architecture")
    layer_count = _decoding_layers(header, architecture)
    expert_count = header.count(f"{architecture}.expert_count")
    expert_used_count = header.count(f"{architecture}.expert_used_count")
    return ModelFacts(
        name=header.text("general.name", path.stem),
        path=str(path.absolute()),
        format=ModelFormat.GGUF.value,
        synthetic=SYNTHETIC_KEY in header.metadata,
        architecture=architecture,
        quantisation=_quantisation(header),
        parameter_count=sum(tensor.elements for tensor in header.tensors if tensor.name not in NOT_PARAMETERS),
        file_bytes=found.file_bytes,
        sha256=found.sha256,
        layer_count=layer_count,
        embedding_length=header.count(f"{architecture}.embedding_length"),
        vocabulary_size=_vocabulary_size(header, architecture),
        context_length=header.count(f"{architecture}.context_length"),
        kv_elements_per_token=_kv_elements_per_token(header, architecture, layer_count),
        weight_bytes_read_per_token=weight_bytes_read_per_token(
            header.tensors,
            expert_count=expert_count,
            expert_used_count=expert_used_count,
            layer_count=layer_count,
        ),
        expert_count=expert_count,
        expert_used_count=expert_used_count,
        tensor_bytes_by_type=_bytes_by_type(header),
    )


def _refuse_partial(path: Path, header: GgufHeader) -> None:
    parts = header.count("split.count", 1)
    if parts > 1:
        raise EdgeprofError(
            f"{path}: is one of {parts} parts of a model; join them with llama-gguf-split --merge FIRST_PART WHOLE.gguf"
        )
    kind = header.text("general.type", "model")
    if kind != "model":
        raise EdgeprofError(f"{path}: is an '{kind}' file, not a model; give the file of the model itself")
    if not header.text("general.architecture") or not header.tensors:
        raise EdgeprofError(f"{path}: names no architecture or has no weights; give the file of a whole model")


def _has_vocabulary(header: GgufHeader) -> bool:
    """Whether texts can become tokens: llama.cpp's ``no_vocab``, and none at all, are models of numbers alone."""
    return header.text("tokenizer.ggml.model", "none") not in ("none", "no_vocab")


def _decoding_layers(header: GgufHeader, architecture: str) -> int:
    """Layers that every token passes; those that only draft further tokens stand after them."""
    return header.count(f"{architecture}.block_count") - header.count(f"{architecture}.nextn_predict_layers")


def _quantisation(header: GgufHeader) -> str:
    """The file type's name, or else the type that most bytes have."""
    try:
        file_type = gguf.LlamaFileType(header.count("general.file_type", -1))
    except ValueError:
        return max(_bytes_by_type(header).items(), key=lambda item: item[1])[0]
    return str(file_type.name).removeprefix("MOSTLY_").removeprefix("ALL_")


def _bytes_by_type(header: GgufHeader) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for tensor in header.tensors:
        totals[tensor.type] += tensor.bytes
    return dict(totals)


def _vocabulary_size(header: GgufHeader, architecture: str) -> int:
    embedding = next((tensor for tensor in header.tensors if tensor.name == "token_embd.weight"), None)
    if embedding is None:
        return header.count(f"{architecture}.vocab_size")
    return embedding.elements // embedding.dimensions[0]


def _kv_elements_per_token(header: GgufHeader, architecture: str, layer_count: int) -> int:
    """Keys and values of all layers that keep some, as llama.cpp lays out its cache (``llama-kv-cache.cpp``).

    Layers may differ in heads and, where some attend through a window, in their length; the last ones may use an
    earlier layer's; and with latent attention (MLA) the value is part of the key.
    """
    attention = f"{architecture}.attention"
    head_count = header.count(f"{attention}.head_count")
    length = header.count(f"{architecture}.embedding_length") // head_count if head_count else 0
    key_length = header.count(f"{attention}.key_length", length)
    value_length = header.count(f"{attention}.value_length", length)
    window_key_length = header.count(f"{attention}.key_length_swa", key_length)
    window_value_length = header.count(f"{attention}.value_length_swa", value_length)
    latent = f"{attention}.key_length_mla" in header.metadata
    heads = header.counts(f"{attention}.head_count_kv", layer_count, head_count)
    windowed = header.counts(f"{attention}.sliding_window_pattern", layer_count, 0)
    own = layer_count - header.count(f"{attention}.shared_kv_layers")
    total = 0
    for layer_heads, has_window in zip(heads[:own], windowed, strict=False):
        keys = window_key_length if has_window else key_length
        values = window_value_length if has_window else value_length
        total += layer_heads * (keys if latent else keys + values)
    return total
