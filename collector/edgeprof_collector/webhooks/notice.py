"""What a webhook is told of a job's end, and how that is signed."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timezone

import msgspec

import edgeprof
from edgeprof_collector.store.records import JobEnd

_TYPE = "job.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The body of a request, and the id that stays the same however often it is sent."""

    notice_id: str
    body: bytes

    def headers(self, secret: bytes, now_seconds: int) -> dict[str, str]:
        """The headers of an attempt, by Standard Webhooks: HMAC-SHA256 over id, time and body."""
        signed = f"{self.notice_id}.{now_seconds}.".encode() + self.body
        signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        return {
            "Content-Type": "application/json",
            "User-Agent": f"edgeprof/{edgeprof.__version__}",
            "webhook-id": self.notice_id,
            "webhook-timestamp": str(now_seconds),
            "webhook-signature": f"v1,{signature}",
        }


def notice_of(end: JobEnd) -> Notice:
    """Make the notice of a job's end."""
    job = end.job
    ended = datetime.fromtimestamp(job.updated_wall_ns // 10**9, tz=timezone.utc)
    body = {
        "type": _TYPE,
        "timestamp": ended.isoformat().replace("+00:00", "Z"),
        "data": {
            "job_id": job.job_id,
            "device_id": job.device_id,
            "state": job.state,
            "reason": job.reason,
            "run_id": job.run_id,
            "plan": job.plan.name,
            "model": job.model,
            "engine": job.engine,
            "schedule_id": job.schedule_id,
        },
    }
    return Notice(notice_id=f"job_{job.job_id}", body=msgspec.json.encode(body))
