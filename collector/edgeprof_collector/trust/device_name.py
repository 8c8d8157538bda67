"""A device's name within its certificate."""

import re
from urllib.parse import quote, unquote

from cryptography import x509
from cryptography.x509.oid import NameOID

from edgeprof.errors import EdgeprofError

# A common name has room for 64 characters (RFC 5280, ub-common-name).
MOST_CHARACTERS = 64
_URN = "urn:edgeprof:device:"


def check_device_name(name: str) -> None:
    """Refuse what cannot stand in a certificate.

    Raises:
        EdgeprofError: it is empty, too long or not printable.
    """
    if not (name and name.isprintable() and len(name) <= MOST_CHARACTERS):
        raise EdgeprofError(f"a device is named by 1 to {MOST_CHARACTERS} printable characters, not {name!r}")


def alternative_name(device_id: str) -> x509.UniformResourceIdentifier:
    """The name as the certificate has it: a URN, so that it passes for no host's."""
    return x509.UniformResourceIdentifier(_URN + quote(device_id, safe=""))


def named_device(certificate: x509.Certificate) -> str:
    """The device that a certificate names; empty if none.

    One of an outside authority that has no such URN names the device by its common name.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        uris = []
    else:
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    for uri in uris:
        if re.match(re.escape(_URN), uri):
            return unquote(uri.removeprefix(_URN))
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else ""
