"""The agent as a service of systemd."""

from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof_agent.service.files import ServiceFile, remove, run, template

UNIT = "edgeprof-agent.service"
CONFIG = "etc/edgeprof/agent.toml"
USER = "edgeprof"

_UNIT_FILE = f"etc/systemd/system/{UNIT}"
_USERS_FILE = "etc/sysusers.d/edgeprof.conf"
_ACCESS_FILE = "etc/tmpfiles.d/edgeprof.conf"
_DATA = ("var/lib/edgeprof", "var/cache/edgeprof", CONFIG)
# Where distributions' packages put units.
_PACKAGED = (f"usr/lib/systemd/system/{UNIT}", f"lib/systemd/system/{UNIT}")


def unit_text(command: str) -> str:
    """The unit, which starts this ``edgeprof-agent``."""
    return template("edgeprof-agent.service").replace("@COMMAND@", command)


def install(root: Path, command: Path) -> None:
    """Write the unit and what belongs to it, make the user, and enable the service; start it if this system runs.

    Args:
        root: ``/``, or the root of an image that is being made: then nothing is started.
        command: the ``edgeprof-agent`` to start, as it is called on the system itself.

    Raises:
        EdgeprofError: a package has installed it, its user could not reach the command, or something failed.
    """
    _refuse_if_packaged(root, "systemctl enable --now edgeprof-agent")
    _refuse_if_out_of_reach(root, command)
    for file in (
        ServiceFile(path=_UNIT_FILE, text=unit_text(str(command))),
        ServiceFile(path=_USERS_FILE, text=template("sysusers.conf")),
        ServiceFile(path=_ACCESS_FILE, text=template("tmpfiles.conf")),
        ServiceFile(path=CONFIG, text=template("agent.toml"), mode=0o640, owners_own=True),
    ):
        file.write(root)
    run("systemd-sysusers", f"--root={root}", str(root / _USERS_FILE))
    if _is_running_system(root):
        run("systemd-tmpfiles", "--create", str(root / _ACCESS_FILE))
        run("systemctl", "daemon-reload")
        run("systemctl", "enable", UNIT)
        run("systemctl", "restart", UNIT)  # what ran before is of the version before
    else:
        run("systemctl", f"--root={root}", "enable", UNIT)


def uninstall(root: Path, *, keep_data: bool) -> None:
    """Stop the service and remove all of it; with ``keep_data`` all but its configuration, spool, cache and user.

    Raises:
        EdgeprofError: a package has installed it, or something failed.
    """
    _refuse_if_packaged(root, "apt remove edgeprof, or apt purge edgeprof")
    if not (root / _UNIT_FILE).exists():
        raise EdgeprofError(f"{root / _UNIT_FILE} is not there: no service was installed by install-service")
    running = _is_running_system(root)
    if running:
        run("systemctl", "disable", "--now", UNIT)
    else:
        run("systemctl", f"--root={root}", "disable", UNIT)
    for path in (_UNIT_FILE, _USERS_FILE, _ACCESS_FILE):
        remove(root / path)
    if running:
        run("systemctl", "daemon-reload")
    if keep_data:
        return
    for path in _DATA:
        remove(root / path)
    _remove_if_empty(root / CONFIG)
    run("userdel", *(() if running else ("--prefix", str(root))), USER)


def _is_running_system(root: Path) -> bool:
    return root == Path("/")


def _remove_if_empty(config: Path) -> None:
    folder = config.parent
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _refuse_if_packaged(root: Path, instead: str) -> None:
    if any((root / path).exists() for path in _PACKAGED):
        raise EdgeprofError(f"the package edgeprof has installed this service: {instead}")


def _refuse_if_out_of_reach(root: Path, command: Path) -> None:
    """The service's user is nobody's: it must be let through every folder on the way."""
    for folder in list(reversed(command.parents))[1:]:
        inside = root / folder.relative_to("/")
        if inside.exists() and not inside.stat().st_mode & 0o001:
            raise EdgeprofError(
                f"the service's user {USER} may not enter {folder}, where this edgeprof-agent is: install it "
                "elsewhere, such as in /opt/edgeprof"
            )
