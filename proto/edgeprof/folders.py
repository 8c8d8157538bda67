"""Where a person's files go, as each platform expects it. Services are told their folders by their configuration."""

from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """What must be kept: the store of runs."""
    return platformdirs.user_data_path("edgeprof")


def state_folder() -> Path:
    """What the agent needs to go on where it stopped: its spool and its identity."""
    return platformdirs.user_state_path("edgeprof")


def cache_folder() -> Path:
    """What can be made again: synthetic models, measured bandwidth."""
    return platformdirs.user_cache_path("edgeprof")
