"""The facts of a Hugging Face folder, from its configuration, the headers of its files and their hashes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.fingerprint import Fingerprint, fingerprint, of_folder, unread
from edgeprof_agent.models.hf_config import SYNTHETIC_KEY
from edgeprof_agent.models.hf_quantisation import read_quantisation
from edgeprof_agent.models.hf_weights import stored_tensors, weight_files
from edgeprof_agent.models.model_format import ModelFormat
from edgeprof_agent.models.outline import ModelOutline, outline_of
from edgeprof_agent.models.progress import share_of_progress
from edgeprof_agent.models.traffic import StoredTensor, weight_bytes_read_per_token

_HASHED_BESIDE_WEIGHTS = ("config.json", "tokenizer.json", "tokenizer_config.json")


def read_facts(
    folder: Path,
    cache_folder: Path,
    on_progress: Callable[[float], None],
    await_consent: Callable[[ModelOutline], None],
) -> ModelFacts:
    """Describe the model in ``folder``; the hashes of its files are remembered in ``cache_folder``.

    ``await_consent`` is called before the files are read whole, and returns if they are to be.

    Raises:
        EdgeprofError: the folder holds no whole model, or a file cannot be read.
    """
    read_configuration(folder)
    beside = [path for name in _HASHED_BESIDE_WEIGHTS if (path := folder / name).is_file()]
    files = [*beside, *weight_files(folder)]
    facts = facts_of(folder, of_folder({path.name: unread(path) for path in files}))
    await_consent(outline_of(facts))
    total, done = facts.file_bytes, 0
    found: dict[str, Fingerprint] = {}
    for path in files:
        size = path.stat().st_size
        found[path.name] = fingerprint(path, cache_folder, share_of_progress(on_progress, done / total, size / total))
        done += size
    whole = of_folder(found)
    return replace(facts, file_bytes=whole.file_bytes, sha256=whole.sha256)


def facts_of(folder: Path, found: Fingerprint) -> ModelFacts:
    """Describe a model by its configuration, the headers of its files, and its fingerprint.

    Raises:
        EdgeprofError: the folder holds no whole model, or a file cannot be read.
    """
    config = read_configuration(folder)
    shape = config.get("text_config", config)
    if not isinstance(shape, dict):
        shape = config
    tied = bool(config.get("tie_word_embeddings", shape.get("tie_word_embeddings", False)))
    plain_type = _plain_type(config, shape)
    quantisation = read_quantisation(folder / "config.json", config, plain_type)
    tensors = stored_tensors(folder, quantisation, tied=tied)
    layer_count = _count(shape, "num_hidden_layers")
    expert_count = _count(shape, "num_experts", "num_local_experts", "n_routed_experts")
    expert_used_count = _count(shape, "num_experts_per_tok")
    return ModelFacts(
        name=str(config.get(SYNTHETIC_KEY) or _name_of(folder)),
        path=str(folder.absolute()),
        format=ModelFormat.SAFETENSORS.value,
        synthetic=SYNTHETIC_KEY in config,
        architecture=str(config["model_type"]),
        quantisation=quantisation.label,
        parameter_count=sum(tensor.elements for tensor in tensors),
        file_bytes=found.file_bytes,
        sha256=found.sha256,
        layer_count=layer_count,
        embedding_length=_count(shape, "hidden_size"),
        vocabulary_size=_count(shape, "vocab_size"),
        context_length=_count(shape, "max_position_embeddings"),
        kv_elements_per_token=_kv_elements_per_token(shape, layer_count),
        weight_bytes_read_per_token=weight_bytes_read_per_token(
            tensors, expert_count=expert_count, expert_used_count=expert_used_count, layer_count=layer_count
        ),
        expert_count=expert_count,
        expert_used_count=expert_used_count,
        tensor_bytes_by_type=_bytes_by_type(tensors),
    )


def read_configuration(folder: Path) -> Mapping[str, object]:
    """Return what the folder's config.json holds.

    Raises:
        EdgeprofError: there is none, it cannot be read, or it describes no model.
    """
    path = folder / "config.json"
    try:
        config = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except FileNotFoundError:
        raise EdgeprofError(
            f"{folder}: a folder without config.json: give a GGUF file, or the folder of a model from Hugging Face"
        ) from None
    except OSError as error:
        raise EdgeprofError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EdgeprofError(f"{path}: cannot be read ({error}): fetch it again") from error
    if not config.get("model_type"):
        raise EdgeprofError(f"{path}: names no 'model_type': give the folder of a language model")
    return config


def _count(shape: Mapping[str, object], *keys: str) -> int:
    """The first of these that is a number; 0 if none is."""
    return next((value for key in keys if isinstance(value := shape.get(key), int)), 0)


def _plain_type(config: Mapping[str, object], shape: Mapping[str, object]) -> str:
    """The name of the floats that the configuration speaks of."""
    name = str(config.get("dtype") or config.get("torch_dtype") or shape.get("dtype") or shape.get("torch_dtype"))
    return {"float16": "F16", "bfloat16": "BF16", "float32": "F32"}.get(name, "")


def _kv_elements_per_token(shape: Mapping[str, object], layer_count: int) -> int:
    """Keys and values of all layers; with latent attention (MLA) the latent and the part that carries the position."""
    latent = _count(shape, "kv_lora_rank")
    if latent:
        return layer_count * (latent + _count(shape, "qk_rope_head_dim"))
    heads = _count(shape, "num_attention_heads")
    length = _count(shape, "head_dim") or (_count(shape, "hidden_size") // heads if heads else 0)
    return layer_count * (_count(shape, "num_key_value_heads") or heads) * length * 2


def _bytes_by_type(tensors: Sequence[StoredTensor]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for tensor in tensors:
        totals[tensor.type] += tensor.bytes
    return dict(totals)


def _name_of(folder: Path) -> str:
    """The folder's name, or the model's in Hugging Face's cache of downloads, ``models--OWNER--NAME/snapshots/...``."""
    path = folder.absolute()
    if path.parent.name == "snapshots" and path.parent.parent.name.startswith("models--"):
        return path.parent.parent.name.removeprefix("models--").replace("--", "/")
    return path.name
