"""What llama-bench wrote, as runs that the analysis judges."""

import json
import subprocess
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.plan import StepKind
from edgeprof.run import RunRecord
from edgeprof_collector.analysis.analyse import analyse
from edgeprof_collector.analysis.verdict import FigureName
from edgeprof_collector.imports.llama_bench import runs_of
from edgeprof_collector.imports.llama_bench_file import read_llama_bench
from tests.agent.engines.llama_bench_program import NOT_BUILT, put_llama_bench
from tests.agent.engines.tiny_model import write_tiny_model
from tests.collector.imports.rows import COMBINED, DECODE, PREFILL, SETUP, result, write_lines


def runs(folder: Path, *results: object, device: str = "") -> tuple[RunRecord, ...]:
    return runs_of(read_llama_bench(write_lines(folder / "results.jsonl", *results)), device)


def rates(record: RunRecord, name: FigureName) -> list[tuple[str, int, list[float]]]:
    """Of each step that has the figure: its name, its variant, and the figure of each repetition."""
    steps = analyse(record, ()).steps
    found = [(step, figure) for step in steps if (figure := step.figure(name))]
    return [(step.name, step.variant, [sample.value for sample in figure.samples]) for step, figure in found]


def test_tests_become_steps_and_durations_repetitions(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, PREFILL, DECODE)

    assert rates(record, FigureName.PREFILL_RATE) == [("prefill 512", 0, [256.0, 128.0])]
    assert rates(record, FigureName.DECODE_RATE) == [("decode 128", 0, [12.8, 12.8])]
    verdict = analyse(record, ())
    assert verdict.state.value == "succeeded"
    assert verdict.duration_seconds == 26.0
    assert verdict.wall_ns == 1_795_273_729 * 10**9
    assert verdict.findings == ()
    assert any("Imported from llama-bench" in note for note in verdict.notes)


def test_model_machine_and_build_are_what_it_says(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, PREFILL)
    model, device = record.started.model, record.started.device

    assert (model.name, model.architecture, model.quantisation) == ("tinyllama-1.1b.Q4_0.gguf", "llama", "Q4_0")
    assert (model.file_bytes, model.parameter_count) == (636_178_432, 1_100_048_384)
    assert (device.device_id, device.imported_from) == ("llama-bench on AMD EPYC", "llama-bench")
    assert device.accelerators == ()
    assert (record.started.engine.version, record.started.engine.build) == ("1", "0c1e570, CPU")


@pytest.mark.parametrize(
    ("model_type", "quantisation"),
    [
        ("qwen2 1.5B Q4_K - Medium", "Q4_K - Medium"),
        ("llama 7B mostly Q4_0", "Q4_0"),
        ("gpt-oss 20B MXFP4 MoE", "MXFP4 MoE"),
        ("llama ?B all F32", "all F32"),
        ("qwen3moe 30B.A3B IQ2_XXS - 2.0625 bpw", "IQ2_XXS - 2.0625 bpw"),
        ("llama 7B", ""),
    ],
)
def test_quantisation_in_its_words(tmp_path: Path, model_type: str, quantisation: str) -> None:
    (record,) = runs(tmp_path, {**PREFILL, "model_type": model_type})
    assert record.started.model.quantisation == quantisation


def test_every_other_key_is_an_option_known_or_not(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, PREFILL)

    (variant,) = analyse(record, ()).variants
    assert variant.name == "default"
    assert variant.options == {
        "threads": "2",
        "batch": "2048",
        "micro_batch": "512",
        "poll": "50",
        "cache_type_k": "f16",
        "cache_type_v": "q8_0",
        "gpu_layers": "-1",
        "no_kv_offload": "false",
        "flash_attention": "auto",
        "tensor_split": "0.00",
        "a_key_of_tomorrow": "[1,2]",
    }


def test_configurations_become_variants_named_by_what_differs(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, PREFILL, {**PREFILL, "flash_attn": 1, "n_threads": 4}, {**PREFILL, "flash_attn": True})

    names = [variant.name for variant in record.started.plan.variants]
    assert names == [
        "flash_attention=auto, threads=2",
        "flash_attention=on, threads=4",
        "flash_attention=on, threads=2",
    ]
    assert [variant for _, variant, _ in rates(record, FigureName.PREFILL_RATE)] == [0, 1, 2]


def test_variants_whose_differences_are_long_are_numbered(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, PREFILL, {**PREFILL, "tensor_split": "0.25/" * 20})
    assert [variant.name for variant in record.started.plan.variants] == ["configuration 1", "configuration 2"]


def test_a_test_that_was_made_again_has_more_repetitions(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, PREFILL, DECODE, PREFILL)

    assert record.started.plan.repetitions == 4
    assert rates(record, FigureName.PREFILL_RATE) == [("prefill 512", 0, [256.0, 128.0, 256.0, 128.0])]


def test_depth_is_part_of_the_step(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, DECODE, {**DECODE, "n_depth": 1024})

    assert [(step.kind, step.depth_tokens) for step in record.started.plan.steps] == [
        (StepKind.DECODE, 0),
        (StepKind.DECODE, 1024),
    ]


def test_combined_tests_are_left_out(tmp_path: Path) -> None:
    (record,) = runs(tmp_path, COMBINED, PREFILL)
    assert [step.name for step in record.started.plan.steps] == ["prefill 512"]
    assert runs(tmp_path, COMBINED) == ()


def test_each_model_is_a_run_of_its_own(tmp_path: Path) -> None:
    other = {"model_filename": "C:\\models\\other.gguf"}
    found = runs(tmp_path, PREFILL, {**PREFILL, **other}, DECODE, {**DECODE, **other}, device="bench")

    assert {record.started.model.name: len(record.started.plan.steps) for record in found} == {
        "tinyllama-1.1b.Q4_0.gguf": 2,
        "other.gguf": 2,
    }
    assert {record.started.device.device_id for record in found} == {"bench"}


def test_the_same_results_make_the_same_run_in_either_form(tmp_path: Path) -> None:
    as_list = tmp_path / "results.json"
    as_list.write_text(json.dumps([PREFILL, DECODE], indent=2), encoding="utf-8")

    (of_lines,) = runs(tmp_path, PREFILL, DECODE)
    (of_list,) = runs_of(read_llama_bench(as_list))
    (of_others,) = runs(tmp_path, PREFILL)
    assert of_lines == of_list
    assert of_others.started.run_id != of_lines.started.run_id


def test_a_gpu_ran_the_model_unless_no_layer_was_there(tmp_path: Path) -> None:
    gpu = {"gpu_info": "NVIDIA GeForce RTX 4090", "backends": "CUDA"}
    offloaded, on_the_cpu = result(512, 0, 10**9, **gpu), result(512, 0, 10**9, **gpu, n_gpu_layers=0)

    (record,) = runs(tmp_path, offloaded, on_the_cpu)
    assert [step.processor for step in analyse(record, ()).steps] == ["gpu0", "cpu"]
    assert record.started.device.accelerators[0].product == "NVIDIA GeForce RTX 4090"
    assert record.started.device.device_id == "llama-bench on NVIDIA GeForce RTX 4090"


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in PREFILL.items() if name != key}


@pytest.mark.parametrize(
    ("results", "text"),
    [
        ((), "{path} holds no results: write it with llama-bench --output jsonl"),
        ((PREFILL, 5), "{path}: result 2 is not llama-bench's: Expected `object`, got `int`; "),
        (
            (without("samples_ns"),),
            "{path}: result 1 is not llama-bench's: Object missing required field `samples_ns`; ",
        ),
        (
            (without("model_type"),),
            "{path}: result 1 is not llama-bench's: Object missing required field `model_type`; ",
        ),
        (
            (result(512, 0),),
            "{path}: result 1 is not llama-bench's: Expected `array` of length >= 1 - at `$.samples_ns`",
        ),
        (
            (result(512, 0, -5),),
            "{path}: result 1 is not llama-bench's: Expected `int` >= 1 - at `$.samples_ns[0]`; ",
        ),
        ((result(-1, 0, 5),), "{path}: result 1 is not llama-bench's: Expected `int` >= 0 - at `$.n_prompt`; "),
        ((result(512, 0, 5, test_time="noon"),), "{path}: result 1 is not llama-bench's: Invalid RFC3339"),
        ((result(0, 0, 5),), "{path}: result 1 has neither prompt nor generation: leave it out"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, results: tuple[object, ...], text: str) -> None:
    with pytest.raises(EdgeprofError) as refused:
        runs(tmp_path, *results)
    assert str(refused.value).startswith(text.format(path=tmp_path / "results.jsonl"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (json.dumps(PREFILL)[:-40], ": line 1 is no JSON: write it with"),
        (json.dumps([PREFILL])[:-40], " is cut short or no JSON ("),
        ("| model | size |\n", ": line 1 is no JSON: write it with"),
        (json.dumps(PREFILL) + "\nerror: x\n", ": line 2 is no JSON: write it with"),
        ("\0" * 20_000_000, " is larger than 16777216 bytes: give a file of llama-bench's results"),
    ],
    ids=["cut line", "cut list", "table", "something between", "too large"],
)
def test_what_is_no_file_of_results_is_refused(tmp_path: Path, content: str, text: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(EdgeprofError) as refused:
        read_llama_bench(path)
    assert str(refused.value).startswith(f"{path}{text}")


def test_what_the_real_program_writes(tmp_path: Path) -> None:
    program = put_llama_bench(tmp_path)
    if program is None:
        pytest.skip(NOT_BUILT)
    model = write_tiny_model(tmp_path)
    sizes = ("-p", "32", "-n", "8", "-pg", "16,4", "-d", "0,16", "-t", "1", "-r", "2", "-o", "jsonl")
    wrote = subprocess.run([program, "-m", model, *sizes], check=True, capture_output=True).stdout
    path = tmp_path / "real.jsonl"
    path.write_bytes(wrote)

    (record,) = runs_of(read_llama_bench(path))

    told = {(each["n_prompt"], each["n_gen"], each["n_depth"]): each for each in map(json.loads, wrote.splitlines())}
    prefill, decode = rates(record, FigureName.PREFILL_RATE), rates(record, FigureName.DECODE_RATE)
    assert [name for name, _, _ in prefill + decode] == ["prefill 32", "prefill 32 @ 16", "decode 8", "decode 8 @ 16"]
    for (_, _, found), sizes_told in zip(
        prefill + decode, [(32, 0, 0), (32, 0, 16), (0, 8, 0), (0, 8, 16)], strict=True
    ):
        assert found == pytest.approx(told[sizes_told]["samples_ts"], rel=1e-4)
    assert set(told[32, 0, 0]) >= set(SETUP) - {"a_key_of_tomorrow"}
