"""The types of tensors are those that llama-quantize chooses: it is asked, on the same shapes."""

from dataclasses import replace
from pathlib import Path

import gguf
import llama_cpp
import pytest

from edgeprof_agent.models.gguf_header import read_header
from edgeprof_agent.models.presets import Shape, SyntheticSpec, parse_spec
from edgeprof_agent.models.synthetic import write_model
from edgeprof_agent.models.tensor_types import GGUF_QUANTISATIONS, Quantisation, TensorType
from edgeprof_agent.models.tensors import tensors_of

F16 = parse_spec("synth:tiny@f16").quantisation
QUANTISED = [quantisation for quantisation in GGUF_QUANTISATIONS if quantisation is not F16]

# Deep enough for the layers of Q4_K_M to differ, untied, with rows that 256 divides and rows that it does not.
DEEP = replace(
    parse_spec("synth:tiny@f16").shape,
    name="deep",
    layer_count=17,
    embedding_length=256,
    head_count=4,
    feed_forward_length=256,
    tied_embeddings=False,
)
DEEP_ODD = replace(parse_spec("synth:tiny-odd@f16").shape, name="deep-odd", layer_count=11)
EXPERTS = parse_spec("synth:tiny-moe@f16").shape


def test_blocks_have_the_sizes_that_gguf_knows() -> None:
    of_mlx = {TensorType.MLX_Q4, TensorType.MLX_Q8}
    sizes = {kind.name: (kind.block_elements, kind.block_bytes) for kind in TensorType if kind not in of_mlx}
    assert sizes == {name: gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]] for name in sizes}


@pytest.mark.parametrize("quantisation", QUANTISED, ids=lambda quantisation: quantisation.name)
@pytest.mark.parametrize("shape", [DEEP, DEEP_ODD, EXPERTS], ids=lambda shape: shape.name)
def test_tensors_get_the_types_that_llama_quantize_chooses(
    shape: Shape, quantisation: Quantisation, tmp_path: Path
) -> None:
    floats, quantised = tmp_path / "f16.gguf", tmp_path / "quantised.gguf"
    write_model(SyntheticSpec(shape=shape, quantisation=F16), floats, lambda _: None)
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = int(gguf.LlamaFileType[f"MOSTLY_{quantisation.label}"])
    parameters.nthread = 1
    assert llama_cpp.llama_model_quantize(str(floats).encode(), str(quantised).encode(), parameters) == 0
    chosen = {tensor.name: tensor.type for tensor in read_header(quantised).tensors}
    spec = SyntheticSpec(shape=shape, quantisation=quantisation)
    assert {tensor.name: tensor.type.name for tensor in tensors_of(spec)} == chosen


def test_the_fallback_for_rows_of_odd_length_is_named() -> None:
    tensors = {tensor.name: tensor.type for tensor in tensors_of(parse_spec("synth:smollm2-135m@q4_k"))}
    assert tensors["blk.5.attn_q.weight"] is TensorType.Q5_0
    assert tensors["blk.4.ffn_down.weight"] is TensorType.Q4_K
    assert tensors["blk.0.ffn_down.weight"] is TensorType.Q6_K
    assert tensors["token_embd.weight"] is TensorType.Q8_0


def test_part_of_a_block_has_no_size() -> None:
    with pytest.raises(ValueError, match="100 elements are not whole blocks of Q4_0"):
        TensorType.Q4_0.bytes_of(100)
