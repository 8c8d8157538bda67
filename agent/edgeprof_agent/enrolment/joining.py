"""Becoming a member: the first certificate, for a token; and a further one when the last has ended."""

from dataclasses import replace
from pathlib import Path

from edgeprof.anchor import Anchor, fetch_anchor
from edgeprof.errors import EdgeprofError
from edgeprof_agent.enrolment.asking import ask, split_address
from edgeprof_agent.enrolment.keys import fits, request_for_key, request_for_new_key
from edgeprof_agent.enrolment.messages import Answer, KeyRequest
from edgeprof_agent.uplink.enrolment import Enrolment, keep_enrolment, read_enrolment

_KIND = "edgeprof-enrol"


def join(address: str, token: str, device_id: str, state_folder: Path) -> Enrolment:
    """Enrol this device and keep what comes of it. The token is told to nobody but the collector that made it.

    Raises:
        EdgeprofError: the token is none, the collector is another or cannot be reached, it refuses, or nothing can be
            written.
    """
    parts = token.strip().split(".")
    if parts[0] != _KIND or len(parts) not in (3, 4):
        raise EdgeprofError(f"this is no token that begins with '{_KIND}.': give what edgeprof token create prints")
    host, port = split_address(address)
    anchor = Anchor(server_name="", authority_pem="")
    if len(parts) == 4:
        anchor = fetch_anchor(host, port, parts[3])
    made = request_for_new_key(device_id)
    wanted = {"token": token.strip(), "device_id": device_id, "request_pem": made.request_pem}
    answer = ask(host, port, anchor, "/api/v1/enrolments", wanted)
    bracketed = f"[{host}]" if ":" in host else host
    enrolment = Enrolment(
        device_id=device_id,
        collector=f"{bracketed}:{answer.grpc_port}",
        api=f"{bracketed}:{port}",
        server_name=anchor.server_name,
        authority_pem=anchor.authority_pem,
        certificate_pem=answer.certificate_pem,
        key_pem=made.key_pem,
        issued_wall_ns=answer.issued_wall_ns,
        expires_wall_ns=answer.expires_wall_ns,
    )
    return _kept(enrolment, state_folder)


def renew_late(state_folder: Path) -> Enrolment:
    """Renew a certificate that has ended, by the key that it was for.

    Raises:
        EdgeprofError: the device is not enrolled, the collector cannot be reached or refuses.
    """
    enrolment = enrolled(state_folder)
    made = request_for_key(enrolment.key_pem, enrolment.device_id)
    anchor = Anchor(server_name=enrolment.server_name, authority_pem=enrolment.authority_pem)
    wanted = {"device_id": enrolment.device_id, "request_pem": made.request_pem}
    return accept(made, ask(*split_address(enrolment.api), anchor, "/api/v1/renewals", wanted), state_folder)


def accept(made: KeyRequest, answer: Answer, state_folder: Path) -> Enrolment:
    """Take a further certificate into use.

    Raises:
        EdgeprofError: it is for another key, or cannot be kept.
    """
    newer = replace(
        enrolled(state_folder),
        authority_pem=answer.authority_pem,
        server_name=answer.server_name,
        certificate_pem=answer.certificate_pem,
        key_pem=made.key_pem,
        issued_wall_ns=answer.issued_wall_ns,
        expires_wall_ns=answer.expires_wall_ns,
    )
    return _kept(newer, state_folder)


def enrolled(state_folder: Path) -> Enrolment:
    """The device's enrolment.

    Raises:
        EdgeprofError: there is none.
    """
    enrolment = read_enrolment(state_folder)
    if enrolment is None:
        raise EdgeprofError("this device is not enrolled: edgeprof-agent enroll --collector HOST --token TOKEN")
    return enrolment


def _kept(enrolment: Enrolment, state_folder: Path) -> Enrolment:
    if not fits(enrolment.key_pem, enrolment.certificate_pem):
        raise EdgeprofError("the collector's certificate is for another key than this device's: enrol it anew")
    keep_enrolment(state_folder, enrolment)
    return enrolment
