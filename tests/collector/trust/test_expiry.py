"""When certificates end is told to Prometheus, as long as they are good."""

import asyncio
import re
from pathlib import Path

from cryptography import x509

from edgeprof_collector.enrolment.expiry import ExpiryWatch
from edgeprof_collector.exposition.health import CollectorHealth
from tests.collector.trust.secured import secured_collector

_SERIES = re.compile(
    r"^edgeprof_(?:collector|device)_certificate_expiry_timestamp_seconds\{\w+=\"(.+)\"\} (.+)$", re.MULTILINE
)


def test_each_certificate_is_told_of_until_its_device_is_revoked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            health = CollectorHealth()
            transport = collector.trust.transport()
            watch = ExpiryWatch(transport, collector.trust.authority, collector.store.access)
            enrolled = [await collector.enrol(device_id) for device_id in ("one", "two")]
            await watch.tell_once(health)
            ends = [x509.load_pem_x509_certificate(each.certificate_pem.encode()) for each in enrolled]
            authority_ends = collector.trust.authority.certificate.not_valid_after_utc
            told = {name: float(seconds) for name, seconds in _SERIES.findall(health.text())}
            assert told == {
                "server": transport.expires_seconds,
                "authority": authority_ends.timestamp(),
                "one": ends[0].not_valid_after_utc.timestamp(),
                "two": ends[1].not_valid_after_utc.timestamp(),
            }

            collector.admin.revoke_device("one")
            await watch.tell_once(health)
            assert set(dict(_SERIES.findall(health.text()))) == {"server", "authority", "two"}

    asyncio.run(scenario())
