"""Packages for tests: built as `make packages` does, for one Python and little compressed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(output: Path, architecture: str = "amd64", python: str = "3.11") -> Path:
    """Build the Debian package, and the wheel beside it."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed (Debian's package dpkg)")
    script = str(ROOT / "packaging/build_packages.py")
    options = ["--fast", "--output", str(output), "--architecture", architecture, "--python", python]
    done = subprocess.run([sys.executable, script, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = output.glob(f"edgeprof_*_{architecture}.deb")
    return package
