"""The one way to the data for people's commands: this device's own store, or a collector's HTTP API."""

from edgeprof_collector.client.http import HttpClient, UnreachableError
from edgeprof_collector.client.local import LocalClient
from edgeprof_collector.client.opening import open_client
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.jobs.messages import JobRequest, JobUpdate, ScheduleRequest

__all__ = [
    "Client",
    "HttpClient",
    "JobRequest",
    "JobUpdate",
    "LocalClient",
    "ScheduleRequest",
    "UnreachableError",
    "open_client",
]
