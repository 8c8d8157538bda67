"""Keys and requests for certificates, by the library `cryptography`. Its memory is why this has its own process."""

from edgeprof.errors import EdgeprofError
from edgeprof_agent.enrolment.messages import KeyRequest

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID
except ModuleNotFoundError as error:
    raise EdgeprofError(
        f"the Python package '{error.name}' is missing, which enrolment needs: pip install 'edgeprof[enroll]'"
    ) from error


def request_for_new_key(device_id: str) -> KeyRequest:
    """Make a key on P-256, and ask for a certificate for it."""
    return _request(ec.generate_private_key(ec.SECP256R1()), device_id)


def request_for_key(key_pem: str, device_id: str) -> KeyRequest:
    """Ask for a further certificate for a key that the device has.

    Raises:
        EdgeprofError: it is no such key.
    """
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), None)
    except (ValueError, TypeError) as error:
        raise EdgeprofError("this device's key is damaged: edgeprof-agent reset, then enrol anew") from error
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # nothing else was ever made here
    return _request(key, device_id)


def fits(key_pem: str, certificate_pem: str) -> bool:
    """Whether a certificate is for this key."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        key = serialization.load_pem_private_key(key_pem.encode(), None)
    except (ValueError, TypeError):
        return False
    return certificate.public_key() == key.public_key()


def _request(key: ec.EllipticCurvePrivateKey, device_id: str) -> KeyRequest:
    # The name is for whoever reads the request; the collector goes by what it knows.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return KeyRequest(key_pem=pem.decode(), request_pem=request.public_bytes(serialization.Encoding.PEM).decode())
