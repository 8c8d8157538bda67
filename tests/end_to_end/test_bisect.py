"""`edgeprof bisect` over real interpreters, of which the later ones are slowed down on purpose."""

import sys
from pathlib import Path

import msgspec
import pytest

from tests.end_to_end.conftest import Home

# Every call of the engine's library takes longer, as if a version had a worse kernel.
SLOWER = """
import sys, time
from llama_cpp import llama_cpp

decode = llama_cpp.llama_decode

def slower(*arguments):
    time.sleep(0.02)
    return decode(*arguments)

llama_cpp.llama_decode = slower
"""
PLAN = """
name = "short"
rest_seconds = 0.1
steps = [{ kind = "decode", decode_tokens = 8 }]
[gates]
wait_seconds = 0.0
"""


@pytest.fixture
def plan(tmp_path: Path) -> str:
    path = tmp_path / "short.toml"
    path.write_text(PLAN, encoding="utf-8")
    return str(path)


@pytest.fixture
def row(tmp_path: Path) -> list[str]:
    """Four interpreters; the last two are slow."""
    (tmp_path / "sitecustomize.py").write_text(SLOWER, encoding="utf-8")
    return [_interpreter(tmp_path, f"python-{number}", slow=number >= 3) for number in (1, 2, 3, 4)]


def _interpreter(folder: Path, name: str, *, slow: bool) -> str:
    path = folder / name
    slowly = f"PYTHONPATH='{folder}' " if slow else ""
    path.write_text(f"#!/bin/sh\n{slowly}exec '{sys.executable}' \"$@\"\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_first_slower_interpreter_is_found(home: Home, plan: str, row: list[str]) -> None:
    ended = home.run("bisect", *row, "--model", "synth:tiny@q4_0", "--plan", plan, "--json")

    assert ended.status == 0, ended.errors
    search = msgspec.json.decode(ended.output)["search"]
    assert (search["conclusion"], search["last_good"], search["first_bad"]) == ("found", 1, 2)


def test_rows_that_cannot_be_searched(home: Home, plan: str, row: list[str], tmp_path: Path) -> None:
    variants = tmp_path / "variants.toml"
    variants.write_text(Path(plan).read_text(encoding="utf-8") + '[[variants]]\nname = "a"\n[[variants]]\nname = "b"\n')
    for arguments, message in (
        ([row[0]], "a row needs two interpreters"),
        ([row[0], "/no/such/python"], "/no/such/python is no interpreter"),
        ([*row, "--plan", str(variants)], "has variants of its own"),
    ):
        ended = home.run("bisect", *arguments)
        assert (ended.status, ended.output) == (2, "")
        (line,) = ended.errors.splitlines()
        assert message in line
