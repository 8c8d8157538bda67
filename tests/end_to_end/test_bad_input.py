"""What a person sees when something is wrong: one line, the cause and the way out, and nothing half-written."""

import socket
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Home

TINY = "synth:tiny@q4_0"


def refused(home: Home, *arguments: str) -> str:
    """Run the command, which must end with status 2 and one line, and leave no run and no report."""
    ended = home.run(*arguments)
    assert ended.status == 2, ended.output + ended.errors
    assert "Traceback" not in ended.errors
    (line,) = ended.errors.splitlines()
    assert line.startswith("edgeprof: ")
    assert not list(home.folder.rglob("*.html"))
    assert home.run("runs", "--json").output.strip() in ("[]", "")
    return line


def test_file_that_is_no_gguf(home: Home) -> None:
    path = home.folder / "model.gguf"
    path.write_bytes(b"not a model" * 100)
    assert f"{path}: " in refused(home, "profile", str(path))


def test_truncated_file(home: Home, cache: Path) -> None:
    assert home.run("profile", TINY, "--repetitions", "1").status == 0
    (whole,) = (cache / "edgeprof" / "models").glob("tiny@q4_0.gguf")
    other = Home(home.environment | {"XDG_DATA_HOME": str(home.folder / "other")}, home.folder / "other")
    other.folder.mkdir()
    cut = other.folder / "cut.gguf"
    cut.write_bytes(whole.read_bytes()[:-1000])
    assert "cut short" in refused(other, "profile", str(cut))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("/no/such/model.gguf", "no such file"),
        ("synth:llama-9@q4_0", "no shape is called 'llama-9'"),
        ("synth:tiny@q9", "no quantisation is called 'q9'"),
    ],
)
def test_model_that_is_not_there(home: Home, model: str, words: str) -> None:
    assert words in refused(home, "profile", model)


def test_shape_that_does_not_fit(home: Home) -> None:
    plan = home.folder / "deep.toml"
    plan.write_text(
        'name = "deep"\n[limits]\nmemory_headroom_ratio = 0.9999\n[[steps]]\nkind = "prefill"\nprompt_tokens = 8\n',
        encoding="utf-8",
    )
    line = refused(home, "profile", TINY, "--plan", str(plan))
    assert "memory" in line


def test_plan_with_a_typo(home: Home) -> None:
    plan = home.folder / "plan.toml"
    plan.write_text('name = "a"\n[[steps]]\nkind = "prefill"\npromt_tokens = 8\n', encoding="utf-8")
    assert refused(home, "profile", TINY, "--plan", str(plan)).endswith("did you mean 'prompt_tokens'?")


def test_engine_that_is_not_installed(home: Home) -> None:
    assert "no engine is called 'warp'" in refused(home, "profile", TINY, "--engine", "warp")


def test_port_in_use(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(home, "collector", "--grpc-port", "0", "--http-port", str(port))
    assert str(port) in line


def test_output_that_cannot_be_written(home: Home) -> None:
    (home.folder / "file").write_text("", encoding="utf-8")
    assert "--output" in refused(home, "profile", TINY, "--output", str(home.folder / "file" / "reports"))


def test_collector_configuration_with_a_typo(home: Home) -> None:
    path = home.folder / "collector.toml"
    path.write_text("grpc_prt = 1\n", encoding="utf-8")
    line = refused(home, "collector", "--config", str(path))
    assert line == f"edgeprof: {path}:1: unknown key 'grpc_prt'; did you mean 'grpc_port'?"
