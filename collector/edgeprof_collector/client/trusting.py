"""How a collector's HTTP API is trusted, and how it trusts whoever calls."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from edgeprof.anchor import DEFAULT_PORT, Anchor, fetch_anchor
from edgeprof.errors import EdgeprofError
from edgeprof_collector.access.secrets import TokenKind, parse_token

# The environment, since what stands on a command line every user of the machine can read.
TOKEN_VARIABLE = "EDGEPROF_TOKEN"  # noqa: S105  a variable's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """What a client is made with. Without ``server_name`` the certificate must have the address's."""

    context: ssl.SSLContext
    server_name: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)


def trusting(address: SplitResult, token_text: str) -> Trusted:
    """Get ready to talk to the collector at an address, with the token that somebody has, if any.

    Raises:
        EdgeprofError: there is no token, or none that could be right; the collector did not make it, or cannot be
            reached.
    """
    if address.scheme != "https":
        # Nothing secret goes where nothing is encrypted: a collector without TLS asks for no token.
        return Trusted(context=ssl.create_default_context())
    if not token_text:
        raise EdgeprofError(
            f"a collector with TLS asks for a token: put one that edgeprof token create --role has printed into "
            f"{TOKEN_VARIABLE}"
        )
    token = parse_token(token_text, TokenKind.ACCESS)
    anchor = Anchor(server_name="", authority_pem="")
    if token.fingerprint:
        anchor = fetch_anchor(address.hostname or "", address.port or DEFAULT_PORT, token.fingerprint)
    return Trusted(
        context=anchor.context(),
        server_name=anchor.server_name,
        headers={"Authorization": f"Bearer {token.text}"},
    )
