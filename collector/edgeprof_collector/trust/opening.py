"""Everything that a collector with TLS proves itself and its devices with."""

from pathlib import Path

from edgeprof.anchor import Anchor
from edgeprof.errors import EdgeprofError
from edgeprof_collector.trust.authority import SERVER_NAME, Authority
from edgeprof_collector.trust.config import TlsConfig, check_tls
from edgeprof_collector.trust.own_names import own_names
from edgeprof_collector.trust.server_identity import FileIdentity, IssuedIdentity, ServerIdentity
from edgeprof_collector.trust.transport import Transport


class Trust:
    """The authority that signs for devices, and the collector's own proof.

    Raises:
        EdgeprofError: a file is missing, damaged or open to others; or options contradict one another.
    """

    def __init__(self, config: TlsConfig, store: Path) -> None:
        check_tls(config)
        self.config = config
        self.folder = config.folder_path(store)
        self.authority = Authority.open(self.folder)
        self.anchor = self._anchor()

    def _anchor(self) -> Anchor:
        """By what others check this collector."""
        if not self.config.certificate:
            return Anchor(server_name=SERVER_NAME, authority_pem=self.authority.pem.decode())
        named = _read(self.config.authority, "tls.authority") if self.config.authority else b""
        return Anchor(server_name="", authority_pem=named.decode("ascii", "replace"))

    def transport(self) -> Transport:
        """Make what both servers encrypt with."""
        config = self.config
        identity: ServerIdentity
        if config.certificate:
            identity = FileIdentity(Path(config.certificate).expanduser(), Path(config.key).expanduser())
        else:
            identity = IssuedIdentity(self.authority, own_names(config.names))
        signers = self.authority.pem
        if config.device_authority:
            signers += _read(config.device_authority, "tls.device_authority")
        return Transport(identity, signers, self.folder, config.metrics_authority)


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes() + b"\n"
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be read: {error.strerror}; check {option}") from error
