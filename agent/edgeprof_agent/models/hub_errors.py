"""What goes wrong with the Hugging Face Hub, in one line each."""

import httpx2
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from edgeprof.errors import EdgeprofError
from edgeprof_agent.models.hub_reference import PREFIX, HubReference

UNREACHABLE = (httpx2.TransportError, OfflineModeIsEnabled)
"""The errors of a Hub that cannot be reached, or that went away."""


def raise_in_words(error: Exception, reference: HubReference) -> None:
    """Raise in its place what a person can make use of; return if the error is none of the Hub's.

    Raises:
        EdgeprofError: it is one.
    """
    cause = _cause(error, reference)
    if cause:
        raise EdgeprofError(f"{PREFIX}{reference.repository}/{reference.file}: {cause}") from error


def _cause(error: Exception, reference: HubReference) -> str:
    hub = constants.ENDPOINT
    page = f"{hub}/{reference.repository}"
    if isinstance(error, UNREACHABLE):
        why = " ".join(str(error).split()) or type(error).__name__
        return f"{hub} cannot be reached ({why}): check the network, or HF_ENDPOINT; what has come so far is kept"
    if isinstance(error, OSError) and error.errno is None and not isinstance(error, HfHubHTTPError):
        return f"what came has another size than {hub} says: try again"
    # The more particular first: a gated repository is one that was not found, too.
    causes: tuple[tuple[type[Exception], str], ...] = (
        (GatedRepoError, f"it is gated: accept its terms on {page}, and set HF_TOKEN to a token of that account"),
        (RepositoryNotFoundError, f"{hub} has no such repository, or it is private: check the name, or set HF_TOKEN"),
        (RevisionNotFoundError, f"the repository has no revision '{reference.revision}': see {page}"),
        (RemoteEntryNotFoundError, f"the repository has no such file: see {page}/tree/{reference.revision}"),
        (HfHubHTTPError, f"{hub} answers with status {_status(error)}: try again later"),
    )
    return next((cause for kind, cause in causes if isinstance(error, kind)), "")


def _status(error: Exception) -> str:
    return str(error.response.status_code) if isinstance(error, HfHubHTTPError) else "unknown"
