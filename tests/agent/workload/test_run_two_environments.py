"""Two versions of an engine, each in an environment of its own, compared in one run."""

import dataclasses
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from edgeprof.errors import EdgeprofError
from edgeprof.messages import from_message, to_message
from edgeprof.plan import Plan, Variant
from edgeprof.run import EngineFacts, PhaseKind, RunStarted, RunState
from edgeprof_agent.config import AllowedConfig
from edgeprof_agent.policy import refuse_unless_allowed

from .runs import Device, job, plan_of

OLDER = "0.31.2"


def environment(folder: Path) -> tuple[str, Path]:
    """A virtual environment that shares the packages of this one; its interpreter, and where its own packages go."""
    venv.create(folder, with_pip=False)
    packages = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (packages / "shared.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return str(folder / "bin" / "python"), packages


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """An interpreter with mlx-lm as it is installed here, and one with an older version of it before that."""
    folder = tmp_path_factory.mktemp("environments")
    newer, _ = environment(folder / "newer")
    older, packages = environment(folder / "older")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    fetched = subprocess.run(
        [*install, "--target", str(packages), f"mlx-lm=={OLDER}"], capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        pytest.skip(f"mlx-lm {OLDER} cannot be fetched: {fetched.stderr.strip().splitlines()[-1]}")
    return newer, older


def plan_with(*pythons: str) -> Plan:
    variants = tuple(Variant(name=f"environment {number}", python=python) for number, python in enumerate(pythons))
    return dataclasses.replace(plan_of(), variants=variants)


@pytest.mark.parametrize("memory", ["side by side", "in turn"])
def test_two_versions_are_interleaved_on_one_device(
    device: Device, pythons: tuple[str, str], memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, older = pythons
    plan = plan_with(newer, older, "")
    if memory == "in turn":
        monkeypatch.setattr("edgeprof_agent.workload.preparation.loadable_bytes", lambda *_: 0)
        monkeypatch.setattr("edgeprof_agent.workload.preparation.refuse_what_does_not_fit", lambda *_: None)
    finished = device.run(job(plan, "synth:tiny-odd@hf-f16", "mlx"))
    assert (finished.state, finished.cause) == (RunState.SUCCEEDED, "")
    (started,) = device.all(RunStarted)
    here, there, own = started.engine.variant_versions
    assert (there, here) == (OLDER, own)
    assert here != OLDER
    assert started.engine.version == here
    steps = [phase.step.variant for phase in device.phases(PhaseKind.STEP) if phase.step]
    assert set(steps) == {0, 1, 2}
    loads = [phase.step.variant for phase in device.phases(PhaseKind.LOAD) if phase.step]
    assert loads == [0, 1, 2] if memory == "side by side" else len(loads) > 3


def test_an_environment_without_the_engine_is_named(device: Device, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(EdgeprofError) as refused:
        device.run(job(plan_with("", python), "synth:tiny-odd@hf-f16", "mlx"))
    cause = (
        f"the engine mlx is not installed for {python}, where the module mlx is missing: pip install 'edgeprof[mlx]'"
    )
    assert str(refused.value).startswith(cause)


def test_a_plan_keeps_its_interpreters_on_the_wire() -> None:
    plan = plan_with("", "/opt/other/bin/python")
    assert from_message(Plan, to_message(plan)) == plan
    engine = EngineFacts(name="mlx", version="2", build="", variant_versions=("2", "1"))
    assert from_message(EngineFacts, to_message(engine)) == engine


def test_a_device_runs_only_the_interpreters_that_it_allows() -> None:
    command = job(plan_with("", "/opt/other/bin/python"), "synth:tiny@hf-f16", "mlx")
    with pytest.raises(EdgeprofError, match="does not allow the interpreter '/opt/other/bin/python'"):
        refuse_unless_allowed(command, AllowedConfig())
    refuse_unless_allowed(command, AllowedConfig(pythons=("/opt/other/bin/python",)))
