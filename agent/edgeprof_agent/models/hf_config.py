"""The configuration of a synthetic model's folder: what ``config.json`` says of a shape."""

from edgeprof_agent.models.mlx_groups import LEVEL_BITS
from edgeprof_agent.models.presets import Shape, SyntheticSpec
from edgeprof_agent.models.tensor_types import TensorType

SYNTHETIC_KEY = "edgeprof_synthetic"
"""Key of config.json by which a synthetic model is told from a real one; its value is the model's name."""

_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "olmoe": "OlmoeForCausalLM"}
_TORCH_NAMES = {TensorType.F16: "float16", TensorType.BF16: "bfloat16"}


def configuration(spec: SyntheticSpec, end_of_text: int) -> dict[str, object]:
    """Return what config.json holds, by the keys of published configurations. ``end_of_text`` is a token's number."""
    shape, quantisation = spec.shape, spec.quantisation
    content: dict[str, object] = {
        SYNTHETIC_KEY: spec.name,
        "architectures": [_CLASSES[shape.architecture]],
        "model_type": shape.architecture,
        "torch_dtype": _TORCH_NAMES[quantisation.vector_type],
        "num_hidden_layers": shape.layer_count,
        "hidden_size": shape.embedding_length,
        "intermediate_size": shape.feed_forward_length,
        "num_attention_heads": shape.head_count,
        "num_key_value_heads": shape.head_count_kv,
        "head_dim": shape.head_length,
        "hidden_act": "silu",
        "attention_dropout": 0.0,
        "vocab_size": shape.vocabulary_size,
        "max_position_embeddings": shape.context_length,
        "rms_norm_eps": shape.rms_epsilon,
        "rope_theta": shape.rope_frequency_base,
        "rope_scaling": _rope_scaling(shape),
        "tie_word_embeddings": shape.tied_embeddings,
        "attention_bias": shape.attention_bias,
        "use_sliding_window": False,
        "initializer_range": 0.02,
        "use_cache": True,
        "bos_token_id": end_of_text,
    }
    if shape.expert_count:
        content |= {
            "num_experts": shape.expert_count,
            "num_experts_per_tok": shape.expert_used_count,
            "norm_topk_prob": False,
        }
    if quantisation.main_type in LEVEL_BITS:
        kind = quantisation.main_type
        content["quantization"] = {"group_size": kind.block_elements, "bits": LEVEL_BITS[kind], "mode": "affine"}
        content["quantization_config"] = content["quantization"]  # as mlx_lm convert repeats it, for the Hub
    return content


def _rope_scaling(shape: Shape) -> dict[str, object] | None:
    if shape.rope_scaling_factor is None:
        return None
    return {
        "rope_type": "llama3",
        "factor": shape.rope_scaling_factor,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
