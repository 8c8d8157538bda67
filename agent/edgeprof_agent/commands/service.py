"""`edgeprof-agent install-service` and `uninstall-service`."""

import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

from edgeprof.errors import EdgeprofError
from edgeprof_agent.service import launchd, systemd


def install_service(root: Path) -> int:
    """Install this agent as a service, start it, and say where its things are. Returns the exit status, 0.

    Raises:
        EdgeprofError: the system has no service manager that is known here, the caller is not root, or a step failed.
    """
    _refuse_unless_root("install-service")
    manager = _manager()
    manager.install(root, _this_command())
    if manager is systemd:
        sys.stdout.write(
            f"The service is installed{_and_started(root)}.\n"
            f"  configuration  /{systemd.CONFIG}  (then: systemctl restart edgeprof-agent)\n"
            "  state          systemctl status edgeprof-agent\n"
            "  log            journalctl -u edgeprof-agent\n"
        )
    else:
        sys.stdout.write(
            f"The service is installed{_and_started(root)}.\n"
            "  configuration  /Library/Application Support/edgeprof/agent.toml\n"
            f"  state          launchctl print system/{launchd.LABEL}\n"
            "  log            /Library/Logs/edgeprof/agent.log\n"
        )
    return 0


def uninstall_service(root: Path, *, keep_data: bool) -> int:
    """Stop the service and remove all that belongs to it. Returns the exit status, 0.

    Raises:
        EdgeprofError: as above.
    """
    _refuse_unless_root("uninstall-service")
    _manager().uninstall(root, keep_data=keep_data)
    kept = "; its configuration and data are kept" if keep_data else ", with its configuration and data"
    sys.stdout.write(f"The service is removed{kept}.\n")
    return 0


def _manager() -> ModuleType:
    if sys.platform == "darwin":
        return launchd
    if shutil.which("systemctl") is None:
        raise EdgeprofError("this system has no systemd: have your own service manager run 'edgeprof-agent run'")
    return systemd


def _refuse_unless_root(command: str) -> None:
    if os.geteuid() != 0:
        raise EdgeprofError(f"only root can do this: sudo {_this_command()} {command}")


def _this_command() -> Path:
    """The edgeprof-agent of this interpreter, wherever it was called from."""
    command = Path(sys.executable).with_name("edgeprof-agent")
    return command if command.exists() else Path(sys.argv[0]).absolute()


def _and_started(root: Path) -> str:
    return " and started" if root == Path("/") else ", and starts with that system"
