import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.run import ModelFacts
from edgeprof_agent.models.outline import ModelOutline
from edgeprof_agent.models.process import prepare_model


def prepare(name: str, cache_folder: Path) -> tuple[ModelFacts, list[float]]:
    ratios: list[float] = []
    return asyncio.run(prepare_model(name, cache_folder, ratios.append)), ratios


def test_a_synthetic_model_is_written_and_described_and_then_reused(tmp_path: Path) -> None:
    facts, ratios = prepare("synth:tiny@q4_k", tmp_path)
    assert (facts.name, facts.quantisation, facts.synthetic) == ("synth:tiny@q4_k", "Q4_K_M", True)
    assert Path(facts.path).stat().st_size == facts.file_bytes
    assert ratios == sorted(set(ratios))
    assert ratios[-1] == 1.0
    assert prepare("synth:tiny@q4_k", tmp_path) == (facts, [])


def test_a_file_is_described(tmp_path: Path) -> None:
    written, _ = prepare("synth:tiny@q4_0", tmp_path)
    facts, ratios = prepare(written.path, tmp_path)
    assert facts == written
    assert ratios[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("synth:gpt-5@q4_0", "no shape is called 'gpt-5'"),
        ("absent.gguf", "absent.gguf: no such file"),
        ("--help", "--help: no such file"),
        ("/", "/: a folder without config.json"),
    ],
)
def test_a_wrong_name_raises_one_line(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(EdgeprofError) as caught:
        prepare(name, tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    written, _ = prepare("synth:tiny@q4_0", tmp_path)
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("")
    with pytest.raises(
        EdgeprofError, match=r"cache.*: Not a directory; let the user that edgeprof runs as read and write there"
    ):
        prepare(written.path, in_the_way)


def test_a_cancelled_preparation_leaves_nothing_half_written(tmp_path: Path) -> None:
    async def cancel_when_it_writes() -> None:
        writing = asyncio.Event()
        task = asyncio.create_task(
            prepare_model("synth:smollm2-360m@q8_0", tmp_path, lambda ratio: writing.set() if ratio > 0.1 else None)
        )
        await writing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_it_writes())
    assert [file.name for file in (tmp_path / "models").iterdir()] == ["smollm2-360m@q8_0.gguf.lock"]


def test_a_process_whose_parent_has_gone_leaves_nothing_half_written(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "edgeprof_agent.models",
        "--cache-folder",
        str(tmp_path),
        "synth:smollm2-360m@q8_0",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"outline":{"name":"synth:smollm2-360m@q8_0"')
        process.stdin.write(b"\n")
        assert process.stdout.readline() == b'{"progress":0.0}\n'
        process.stdout.close()
        assert process.stderr.read() == b"nobody is listening any more\n"
    assert process.returncode == 1
    assert [file.name for file in (tmp_path / "models").iterdir()] == ["smollm2-360m@q8_0.gguf.lock"]


def test_nobody_to_say_go_on_is_an_end_before_anything_is_written(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "edgeprof_agent.models", "--cache-folder", str(tmp_path / "cache"), "synth:tiny@q4_0"],
        check=False,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert (process.returncode, process.stderr) == (1, b"nobody wants it any more\n")
    assert not (tmp_path / "cache").exists()


def refuse(outline: ModelOutline) -> None:
    raise EdgeprofError(f"{outline.name} has {outline.file_bytes} bytes")


@pytest.mark.parametrize("form", ["tiny@q4_0", "tiny-odd@hf-f16"])
def test_a_model_can_be_refused_before_it_is_written_and_before_it_is_hashed(tmp_path: Path, form: str) -> None:
    written, _ = prepare(f"synth:{form}", tmp_path / "first")
    for name in (f"synth:{form}", written.path):
        with pytest.raises(EdgeprofError, match=rf"^synth:{form} has \d+ bytes$"):
            asyncio.run(prepare_model(name, tmp_path / "second", lambda _: None, refuse))
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("missing", ["numpy", "gguf"])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('no {missing}', name='{missing}')")
    process = subprocess.run(
        [sys.executable, "-m", "edgeprof_agent.models", "--cache-folder", str(tmp_path), "synth:tiny@q4_0"],
        check=False,
        capture_output=True,
        input="\n",
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert process.returncode == 1
    assert process.stderr == ""
    assert process.stdout.partition("\n")[2] == (
        f'{{"error":"the Python package \'{missing}\' is missing, which model files need: '
        "pip install 'edgeprof[models]'\"}\n"
    )


def test_an_unforeseen_end_is_told_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numpy.py").write_text("raise RuntimeError('numpy is broken here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EdgeprofError, match="process that prepares models ended with 1: RuntimeError: numpy is broken"):
        prepare("synth:tiny@q4_0", tmp_path)
