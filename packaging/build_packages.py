"""Build what people install: a wheel, and a Debian package for each architecture. Run by `make packages`.

    python packaging/build_packages.py [--output dist] [--architecture amd64 ...] [--python 3.11 ...] [--fast]

A Debian package holds a Python environment of its own in /usr/lib/edgeprof, on the distribution's interpreter.
Libraries for each version of Python that edgeprof supports stand side by side, and the interpreter takes those of its
version: one package fits Ubuntu 22.04 (JetPack 6) to Debian 13, and a distribution may be upgraded under it. Libraries
are fetched as wheels for the target's architecture, so arm64 is built anywhere.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgeprof import __version__
from edgeprof_agent.service.files import template
from edgeprof_agent.service.systemd import unit_text

ROOT = Path(__file__).parents[1]
DEBIAN = ROOT / "packaging/debian"
SYSTEMD = ROOT / "packaging/systemd"
EXTRAS = "models,hub,enroll,collector"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# By Debian's name of an architecture, the platform whose wheels fit: the C library of Ubuntu 20.04 or newer.
PLATFORMS = {"amd64": "x86_64-manylinux_2_31", "arm64": "aarch64-manylinux_2_31"}
COMMANDS = {"edgeprof": "edgeprof_collector.cli", "edgeprof-agent": "edgeprof_agent.cli"}
CONFFILES = ("/etc/edgeprof/agent.toml", "/etc/edgeprof/collector.toml")


def build_wheel(output: Path) -> Path:
    """Build the wheel, and return where it is."""
    uv("build", "--wheel", "--out-dir", output, "--build-constraint", ROOT / "constraints.txt", ROOT)
    (wheel,) = output.glob(f"edgeprof-{__version__}-*.whl")
    return wheel


def build_package(wheel: Path, output: Path, architecture: str, pythons: Sequence[str], *, fast: bool) -> Path:
    """Build a Debian package of a wheel, and return where it is; ``fast`` does not compress it."""
    package = output / f"edgeprof_{__version__}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        tree.mkdir(mode=0o755)
        add_environment(tree, wheel, architecture, pythons)
        add_services(tree)
        add_documents(tree)
        add_control(tree, architecture, pythons)
        compression = ("-Znone",) if fast else ("-Zzstd", "-z10")
        run("dpkg-deb", *compression, "--root-owner-group", "--build", tree, package)
    return package


def add_environment(tree: Path, wheel: Path, architecture: str, pythons: Sequence[str]) -> None:
    """Put the Python environment and its commands where they belong."""
    library = tree / "usr/lib/edgeprof"
    for python in pythons:
        uv(
            *("pip", "install", "--quiet", "--only-binary", ":all:", "--constraint", ROOT / "constraints.txt"),
            *("--python-version", python, "--python-platform", PLATFORMS[architecture]),
            *("--target", library / f"lib/python{python}/site-packages", f"{wheel}[{EXTRAS}]"),
        )
        shutil.rmtree(library / f"lib/python{python}/site-packages/bin")  # with this machine's interpreter in them
    for compiled in [*library.rglob("__pycache__")]:  # the package compiles all of it where it is installed
        shutil.rmtree(compiled)
    write(library / "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")
    (library / "bin").mkdir()
    (library / "bin/python3").symlink_to("/usr/bin/python3")
    (tree / "usr/bin").mkdir()
    for command, module in COMMANDS.items():
        start = f"#!/usr/lib/edgeprof/bin/python3\nimport sys\n\nfrom {module} import main\n\nsys.exit(main())\n"
        write(library / "bin" / command, start, mode=0o755)
        (tree / "usr/bin" / command).symlink_to(f"../lib/edgeprof/bin/{command}")


def add_services(tree: Path) -> None:
    """Put the units, their users and their configuration where they belong."""
    units = tree / "usr/lib/systemd/system"
    write(units / "edgeprof-agent.service", unit_text("/usr/bin/edgeprof-agent"))
    write(units / "edgeprof-collector.service", (SYSTEMD / "edgeprof-collector.service").read_text())
    for kind in ("sysusers", "tmpfiles"):
        both = template(f"{kind}.conf") + (SYSTEMD / f"collector-{kind}.conf").read_text()
        write(tree / f"usr/lib/{kind}.d/edgeprof.conf", both)
    write(tree / "etc/edgeprof/agent.toml", template("agent.toml"), mode=0o640)
    write(tree / "etc/edgeprof/collector.toml", (SYSTEMD / "collector.toml").read_text(), mode=0o640)


def add_documents(tree: Path) -> None:
    """Put the documentation, and what Prometheus and Grafana take, where they belong."""
    documents = tree / "usr/share/doc/edgeprof"
    shutil.copytree(ROOT / "docs", documents / "docs", ignore=shutil.ignore_patterns("decisions"))
    for name in ("README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, documents)
    shutil.copy(ROOT / "LICENSE", documents / "copyright")
    for name in ("prometheus", "grafana"):
        shutil.copytree(ROOT / "packaging" / name, tree / "usr/share/edgeprof" / name)


def add_control(tree: Path, architecture: str, pythons: Sequence[str]) -> None:
    """Write what the package manager reads and runs."""
    kibibytes = sum(file.lstat().st_size for file in tree.rglob("*") if file.is_file()) // 1024
    first, last = pythons[0], pythons[-1]
    after_last = f"3.{int(last.removeprefix('3.')) + 1}"
    control = (DEBIAN / "control").read_text()
    for name, value in {
        "VERSION": __version__,
        "ARCHITECTURE": architecture,
        "SIZE": str(kibibytes),
        "PYTHON": f"python3 (>= {first}~), python3 (<< {after_last}~)",
    }.items():
        control = control.replace(f"@{name}@", value)
    write(tree / "DEBIAN/control", control)
    write(tree / "DEBIAN/conffiles", "".join(f"{path}\n" for path in CONFFILES))
    for script in ("postinst", "prerm", "postrm"):
        write(tree / "DEBIAN" / script, (DEBIAN / script).read_text(), mode=0o755)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file of the package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def uv(*arguments: str | Path) -> None:
    """Run uv, which knows how to install for another machine."""
    run(Path(sys.executable).with_name("uv"), "--system-certs", *arguments)


def run(*command: str | Path) -> None:
    """Run a command; what it says is for whoever builds."""
    subprocess.run(command, check=True)


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description="Build a wheel and Debian packages.")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--architecture", choices=PLATFORMS, action="append")
    parser.add_argument("--python", choices=PYTHONS, action="append", help="default: all that are supported")
    parser.add_argument("--fast", action="store_true", help="do not compress")
    options = parser.parse_args()
    os.umask(0o022)
    options.output.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(options.output)
    if shutil.which("dpkg-deb") is None:
        sys.exit("no Debian package is built: dpkg-deb is not installed (dpkg on Homebrew, too)")
    for architecture in options.architecture or PLATFORMS:
        package = build_package(
            wheel, options.output, architecture, sorted(options.python or PYTHONS), fast=options.fast
        )
        sys.stdout.write(f"{package}: {package.stat().st_size / 1e6:.0f} MB\n")


if __name__ == "__main__":
    main()
