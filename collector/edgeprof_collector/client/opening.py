"""Which client to use."""

import os

from edgeprof.folders import data_folder
from edgeprof_collector.client.http import HttpClient
from edgeprof_collector.client.local import LocalClient
from edgeprof_collector.client.protocol import Client
from edgeprof_collector.client.trusting import TOKEN_VARIABLE
from edgeprof_collector.store.sqlite import SqliteStore


def open_client(collector_url: str = "") -> Client:
    """Open the collector's HTTP API at ``collector_url``, or this person's own store if that is empty.

    Raises:
        EdgeprofError: the URL is none, or the store cannot be opened.
    """
    if collector_url:
        return HttpClient(collector_url, os.environ.get(TOKEN_VARIABLE, ""))
    return LocalClient(SqliteStore(data_folder() / "edgeprof.sqlite"))
