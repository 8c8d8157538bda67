"""Addresses to listen on, with errors that name the option."""

import errno
import socket

from edgeprof.errors import EdgeprofError


def listen(host: str, port: int, option: str) -> socket.socket:
    """Listen on an address; port 0 takes a free one.

    Args:
        host: the address of an interface.
        port: the port.
        option: what a person changes to have another port, such as ``grpc_port``.

    Raises:
        EdgeprofError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        flag = "--" + option.replace("_", "-")
        if error.errno == errno.EADDRINUSE:
            cause = f"port {port} on {host} is in use, perhaps by another collector"
        else:
            cause = f"port {port} on {host} cannot be listened on: {error.strerror}"
        raise EdgeprofError(f"{cause}; choose another with {flag}, or with {option} in the configuration") from error
    # Connections inherit it. asyncio sets it only on sockets that were made with the protocol's number; without it an
    # answer of two parts waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_host(host: str) -> str:
    """The host as it stands before a colon and a port."""
    return f"[{host}]" if ":" in host else host
