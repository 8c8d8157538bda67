"""Which client to use."""

from edgeprof_collector.client.http import HttpClient
from edgeprof_collector.client.local import LocalClient, default_store_path
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.store.sqlite import SqliteStore


def open_client(collector_url: str = "") -> Client:
    """Open the collector's HTTP API at ``collector_url``, or this person's own store if that is empty.

    Raises:
        EdgeprofError: the URL is none, or the store cannot be opened.
    """
    return HttpClient(collector_url) if collector_url else LocalClient(SqliteStore(default_store_path()))
