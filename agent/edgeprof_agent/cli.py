"""The command `edgeprof-agent`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeprof import __version__
from edgeprof.errors import EdgeprofError

_LOG_BYTES = 1_000_000
_OLD_LOGS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: the command's own, or 2 after an error of one line."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except EdgeprofError as error:
        sys.stderr.write(f"edgeprof-agent: {error}\n")
        return 2
    return status


def _run(options: argparse.Namespace) -> int:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the errors that matter are told in our own words
    _leave_out_openssl()
    import asyncio  # noqa: PLC0415  it would load OpenSSL before

    from edgeprof_agent.config import read_config  # noqa: PLC0415  `--version` and `--help` need none of it
    from edgeprof_agent.daemon import run_agent  # noqa: PLC0415  likewise

    config = read_config(options.config)
    given = {name: value for name in ("collector", "state_folder", "cache_folder") if (value := getattr(options, name))}
    config = replace(config, **given)
    pythons = (*config.allowed.pythons, *options.allow_python)
    programs = (*config.allowed.programs, *options.allow_program)
    config = replace(config, allowed=replace(config.allowed, pythons=pythons, programs=programs))
    _log_to(options.log_file, config.log_level.name)
    asyncio.run(run_agent(config, ready_file=options.ready_file, exit_with_parent=options.exit_with_parent))
    return 0


def _log_to(file: Path | None, level: str) -> None:
    """Log to standard error, or to a file that is kept small: ``file`` and three before it, of a megabyte each."""
    if file is None:
        logging.basicConfig(format="edgeprof-agent: %(message)s", level=level)
        return
    from logging.handlers import RotatingFileHandler  # noqa: PLC0415  it costs memory, and most have a log elsewhere

    try:
        handler = RotatingFileHandler(file, maxBytes=_LOG_BYTES, backupCount=_OLD_LOGS, encoding="utf-8")
    except OSError as error:
        raise EdgeprofError(f"{file} cannot be written: {error.strerror}; name another --log-file") from error
    logging.basicConfig(format="%(asctime)s %(message)s", level=level, handlers=[handler])


def _doctor(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.doctor import diagnose_device  # noqa: PLC0415  as above

    return diagnose_device(as_json=options.json)


def _record(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.record import record_device  # noqa: PLC0415  as above

    return record_device(options.output, commands=options.commands)


def _engines(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.engines import list_engines  # noqa: PLC0415  as above

    return list_engines(options.python, as_json=options.json)


def _install_service(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.service import install_service  # noqa: PLC0415  as above

    return install_service(options.root)


def _uninstall_service(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.service import uninstall_service  # noqa: PLC0415  as above

    return uninstall_service(options.root, keep_data=options.keep_data)


def _enroll(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.enroll import enroll_device  # noqa: PLC0415  as above

    return enroll_device(options.collector, options.token, options.config, options.state_folder)


def _reset(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.enroll import reset_device  # noqa: PLC0415  as above

    return reset_device(options.config, options.state_folder)


def _estimate(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.estimate import estimate_plan  # noqa: PLC0415  as above

    return estimate_plan(sys.stdin.buffer.read(), options.model, options.engine)


def _leave_out_openssl() -> None:
    """Save 5 MB: gRPC brings its own TLS, and asyncio and hashlib are made to do without OpenSSL."""
    for name in ("ssl", "_hashlib"):
        sys.modules[name] = None  # type: ignore[assignment]  # the language's way to have an import fail


def _watch(options: argparse.Namespace) -> int:
    from edgeprof_agent.commands.watch import watch_device  # noqa: PLC0415  as above

    return watch_device(hertz=options.rate, as_json=options.json, count=options.count)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgeprof-agent", description="Samples this device, runs workloads on it, and streams both to a collector."
    )
    parser.add_argument("--version", action="version", version=f"edgeprof-agent {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="be the agent of this device, until SIGTERM or Ctrl-C")
    run.add_argument("--config", type=Path, metavar="FILE", help="TOML; every option has a default")
    run.add_argument("--collector", type=_address, metavar="HOST:PORT", help="overrides 'collector'")
    run.add_argument("--state-folder", metavar="DIR", help="overrides 'state_folder': the spool and the identity")
    run.add_argument("--cache-folder", metavar="DIR", help="overrides 'cache_folder': synthetic models")
    for kind in ("python", "program"):
        option = f"--allow-{kind}"
        run.add_argument(option, metavar="FILE", action="append", default=[], help=f"adds to 'allowed.{kind}s'")
    run.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="written when the collector first welcomes the device"
    )
    run.add_argument("--log-file", type=Path, metavar="FILE", help="log there, and rotate it, not to standard error")
    run.add_argument("--exit-with-parent", action="store_true", help="stop when standard input ends")
    run.set_defaults(command=_run)
    _add_doctor(commands)
    _add_record(commands)
    _add_watch(commands)
    _add_engines(commands)
    _add_estimate(commands)
    _add_service(commands)
    _add_enroll(commands)
    return parser


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser(
        "doctor",
        help="what this device can and cannot measure, and the commands that would change that",
        description="Samples every sensor once, and says of every metric whether it is measured, refused or absent.",
        epilog="Exit status: 0 if nothing is refused, 1 if something is that the commands shown would allow.",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON, for scripts")
    doctor.set_defaults(command=_doctor)


def _add_record(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    record = commands.add_parser(
        "record",
        help="record what the sensors read on this device, without serial numbers, addresses and names",
        description="Writes every file that the sensors read, twice, a second apart, as a tree that tests can read. "
        "Reads only. Serial numbers, UUIDs, hardware and network addresses, names of hosts and users are masked.",
    )
    record.add_argument("--output", required=True, metavar="DIR|FILE.tar.gz", help="must not exist yet")
    record.add_argument(
        "--commands", action="store_true", help="add what nvidia-smi, tegrastats and nvpmodel print, masked"
    )
    record.set_defaults(command=_record)


def _add_watch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    watch = commands.add_parser(
        "watch",
        help="show all channels, live",
        description="On a terminal, one screen; counters are shown as what they gain in a second, and values that "
        "are old say so. Elsewhere, the values as lines for Prometheus.",
    )
    watch.add_argument("--rate", type=_hertz, default=1.0, metavar="HZ", help="how often, 0.1 to 100; default 1")
    watch.add_argument("--count", type=int, metavar="N", help="end after so many times; default never")
    watch.add_argument("--json", action="store_true", help="print a line of JSON each time, for scripts")
    watch.set_defaults(command=_watch)


def _add_engines(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    engines = commands.add_parser(
        "engines",
        help="which engines can be used here, and how to install the others",
        description="Starts every engine that edgeprof knows in a process of its own and shows what it says of itself.",
        epilog="Exit status: 0 if an engine can be used, 1 if none.",
    )
    engines.add_argument(
        "--python",
        metavar="FILE",
        action="append",
        default=[],
        help="look in this interpreter; may be repeated",
    )
    engines.add_argument("--json", action="store_true", help="print JSON, for scripts")
    engines.set_defaults(command=_engines)


def _add_service(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    install = commands.add_parser(
        "install-service",
        help="have the system run the agent: systemd, or launchd on macOS",
        description="Writes the service, its user, and a configuration if there is none; enables and starts it.",
    )
    uninstall = commands.add_parser("uninstall-service", help="stop that, and remove all that belongs to it")
    uninstall.add_argument("--keep-data", action="store_true", help="keep its configuration, spool, cache and user")
    for command, action in ((install, _install_service), (uninstall, _uninstall_service)):
        command.add_argument(
            "--root", type=Path, default=Path("/"), metavar="DIR", help="of an image that is made; nothing is started"
        )
        command.set_defaults(command=action)


def _add_enroll(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    enroll = commands.add_parser(
        "enroll",
        help="become a member of a collector: a key is made here, and a certificate fetched for it",
        description="Run it as the user that runs the agent. The key never leaves this device.",
    )
    enroll.add_argument("--collector", required=True, metavar="HOST[:PORT]", help="the port for people; default 7744")
    enroll.add_argument("--token", required=True, help="what edgeprof token create has printed; - reads it from input")
    enroll.set_defaults(command=_enroll)
    reset = commands.add_parser(
        "reset",
        help="forget the key and certificate, to enrol anew; history and identity stay",
    )
    reset.set_defaults(command=_reset)
    for command in (enroll, reset):
        command.add_argument("--config", type=Path, metavar="FILE", help="the agent's TOML")
        command.add_argument("--state-folder", default="", metavar="DIR", help="overrides 'state_folder'")


def _add_estimate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    estimate = commands.add_parser(
        "estimate",
        help="how long a plan will take here",
        description="Reads a plan as JSON from standard input and prints as JSON how long it will take with a "
        "synthetic model: by the speed of its last run here, else by the memory bandwidth and the number of cores.",
    )
    estimate.add_argument("--model", default="", metavar="SHAPE", help="default: the one that suits this device")
    estimate.add_argument("--engine", default="", help="default: llama-cpp-python")
    estimate.set_defaults(command=_estimate)


def _hertz(text: str) -> float:
    try:
        hertz = float(text)
    except ValueError:
        hertz = 0.0
    if not 0.1 <= hertz <= 100:
        raise argparse.ArgumentTypeError(f"expected 0.1 to 100 times a second, not '{text}'")
    return hertz


def _address(text: str) -> str:
    from edgeprof_agent.config import is_address  # noqa: PLC0415  see above

    if not is_address(text):
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, such as 192.168.1.5:7743, not '{text}'")
    return text
