"""What a collector with TLS has more than one without, put together."""

from starlette.routing import Route
from starlette.types import ASGIApp

from edgeprof_collector.access.audit import Audit
from edgeprof_collector.access.desk import TokenDesk
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.enrolment.desk import EnrolmentDesk
from edgeprof_collector.enrolment.expiry import ExpiryWatch
from edgeprof_collector.enrolment.gatekeeper import Gatekeeper
from edgeprof_collector.intake.admission import Admission
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.trust.opening import Trust
from edgeprof_collector.web.access_api import AccessApi
from edgeprof_collector.web.enrolment_api import EnrolmentApi
from edgeprof_collector.web.gate import TokenGate


class Security:
    """Certificates for devices, tokens for people. ``grpc_port`` is known once the collector listens.

    Raises:
        EdgeprofError: a file is missing, damaged or open to others; or options contradict one another.
    """

    def __init__(self, config: CollectorConfig, store: Store) -> None:
        trust = Trust(config.tls, config.store_path)
        desk = EnrolmentDesk(trust, store.access)
        self.grpc_port = 0
        self.transport = trust.transport()
        self.admission = Admission(Gatekeeper(trust.authority, store.access), desk, store.access)
        self.expiry = ExpiryWatch(self.transport, trust.authority, store.access)
        self._tokens = TokenDesk(store.access, trust.anchor.fingerprint)
        self._audit = Audit(store.access)
        self._metrics = config.tls.metrics
        self._enrolment_api = EnrolmentApi(desk, trust.anchor, lambda: self.grpc_port)
        self._access_api = AccessApi(store, trust.anchor.fingerprint)

    @property
    def routes(self) -> list[Route]:
        """What the HTTP API has besides."""
        return [*self._access_api.routes(), *self._enrolment_api.routes()]

    def gate(self, app: ASGIApp) -> ASGIApp:
        """Let only those to ``app`` who may."""
        return TokenGate(app, self._tokens, self._audit, self._metrics)
