"""The agent as a service of launchd, by launchd.plist(5) and launchctl(1). Not tried on a Mac."""

import os
import plistlib
from pathlib import Path

from edgeprof.errors import EdgeprofError
from edgeprof_agent.service.files import ServiceFile, remove, run, template

LABEL = "org.edgeprof.agent"

_PROPERTIES = f"Library/LaunchDaemons/{LABEL}.plist"
_FOLDER = "Library/Application Support/edgeprof"
_CONFIG = f"{_FOLDER}/agent.toml"
_CACHE = "Library/Caches/edgeprof"
_LOGS = "Library/Logs/edgeprof"


def property_list(command: str, user: str) -> bytes:
    """The job's property list.

    It is no background job: launchd would hold back its processor and its disks, and with them what it measures. It is
    started again when it fails, after 10 seconds at least. It rotates its own log, which launchd never does; only
    what Python itself says when all fails goes to the other file.
    """
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": [
                command,
                "run",
                "--config",
                f"/{_CONFIG}",
                "--state-folder",
                f"/{_FOLDER}",
                "--cache-folder",
                f"/{_CACHE}",
                "--log-file",
                f"/{_LOGS}/agent.log",
            ],
            "UserName": user,
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ProcessType": "Interactive",
            "ExitTimeOut": 45,
            "Umask": 0o027,
            "StandardErrorPath": f"/{_LOGS}/agent.err",
            "EnvironmentVariables": {"HF_HOME": f"/{_CACHE}/hub"},
        }
    )


def install(root: Path, command: Path) -> None:
    """Write the property list and a configuration, and have launchd start the agent, as the person who called sudo.

    Raises:
        EdgeprofError: it is not clear who that is, or something failed.
    """
    user = os.environ.get("SUDO_USER", "")
    if not user or user == "root":
        raise EdgeprofError("as whom should the agent run? Call 'sudo edgeprof-agent install-service' as that user")
    for file in (
        ServiceFile(path=_PROPERTIES, text=property_list(str(command), user).decode()),
        ServiceFile(path=_CONFIG, text=template("agent.toml"), owners_own=True),
    ):
        file.write(root)
    for folder in (_FOLDER, _CACHE, _LOGS):
        (root / folder).mkdir(parents=True, exist_ok=True)
        run("chown", "-R", user, str(root / folder))
    if root == Path("/"):
        run("launchctl", "enable", f"system/{LABEL}")
        run("launchctl", "bootstrap", "system", f"/{_PROPERTIES}")


def uninstall(root: Path, *, keep_data: bool) -> None:
    """Stop the agent and remove all of it; with ``keep_data`` all but its configuration, spool and cache.

    Raises:
        EdgeprofError: it is not installed, or something failed.
    """
    if not (root / _PROPERTIES).exists():
        raise EdgeprofError(f"{root / _PROPERTIES} is not there: no service was installed by install-service")
    if root == Path("/"):
        run("launchctl", "bootout", f"system/{LABEL}")
    for path in (_PROPERTIES, _LOGS, *(() if keep_data else (_FOLDER, _CACHE))):
        remove(root / path)
