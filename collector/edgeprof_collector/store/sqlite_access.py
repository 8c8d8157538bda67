"""Tokens, certificates and the audit log in the SQLite store."""

import hmac
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from edgeprof_collector.store.access import EnrolmentRefusedError
from edgeprof_collector.store.access_records import AccessToken, AuditEntry, DeviceCertificate, EnrolmentToken, Role
from edgeprof_collector.store.database import Database

_UNKNOWN = "this enrolment token is not known here: make one with edgeprof token create"
# What is kept of the log, a few hundred megabytes at the most: it can only be filled by who has a token, or slowly.
_ENTRIES_KEPT = 1_000_000


class SqliteAccess:
    """An :class:`~edgeprof_collector.store.access.Access` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_token(self, token: AccessToken | EnrolmentToken) -> None:
        """See :meth:`Access.add_token`."""
        table = "access_tokens" if isinstance(token, AccessToken) else "enrolment_tokens"
        with self._database.writing() as connection:
            _insert(connection, table, asdict(token))

    def access_token(self, token_id: str) -> AccessToken | None:
        """See :meth:`Access.access_token`."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM access_tokens WHERE token_id = ?", (token_id,)).fetchone()
            return _access_token(row) if row else None

    def access_tokens(self) -> tuple[AccessToken, ...]:
        """See :meth:`Access.access_tokens`."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM access_tokens ORDER BY created_wall_ns DESC, rowid DESC")
            return tuple(_access_token(row) for row in rows)

    def enrolment_tokens(self) -> tuple[EnrolmentToken, ...]:
        """See :meth:`Access.enrolment_tokens`."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM enrolment_tokens ORDER BY created_wall_ns DESC, rowid DESC")
            return tuple(EnrolmentToken(**row) for row in rows)

    def revoke_token(self, token_id: str, now_wall_ns: int) -> bool:
        """See :meth:`Access.revoke_token`."""
        with self._database.writing() as connection:
            ended = connection.execute(
                "UPDATE access_tokens SET revoked_wall_ns = ? WHERE token_id = ? AND revoked_wall_ns IS NULL",
                (now_wall_ns, token_id),
            ).rowcount
            ended += connection.execute(
                "UPDATE enrolment_tokens SET uses_left = 0 WHERE token_id = ? AND uses_left > 0", (token_id,)
            ).rowcount
            return ended > 0

    def enrol(self, token_id: str, digest: bytes, certificate: DeviceCertificate) -> None:
        """See :meth:`Access.enrol`."""
        with self._database.writing() as connection:
            token = _enrolment_token(connection, token_id)
            if fault := _token_fault(token, digest, certificate) or _name_fault(connection, token, certificate):
                raise EnrolmentRefusedError(fault)
            connection.execute("UPDATE enrolment_tokens SET uses_left = uses_left - 1 WHERE token_id = ?", (token_id,))
            _revoke(connection, certificate.device_id, certificate.issued_wall_ns)
            _insert(connection, "device_certificates", asdict(certificate))

    def renew(self, certificate: DeviceCertificate, *, grace_ns: int, by_key: bool) -> None:
        """See :meth:`Access.renew`."""
        now_wall_ns = certificate.issued_wall_ns
        with self._database.writing() as connection:
            former = [each for each in _of_device(connection, certificate.device_id) if each.revoked_wall_ns is None]
            if by_key:
                former = [each for each in former if hmac.compare_digest(each.key_digest, certificate.key_digest)]
            if not former:
                raise EnrolmentRefusedError(f"'{certificate.device_id}' is not enrolled with this key: enrol it again")
            if max(each.expires_wall_ns for each in former) + grace_ns < now_wall_ns:
                raise EnrolmentRefusedError(
                    f"the certificate of '{certificate.device_id}' ended too long ago to be renewed: enrol it again"
                )
            _insert(connection, "device_certificates", asdict(certificate))
            connection.execute(
                "DELETE FROM device_certificates WHERE device_id = ? AND expires_wall_ns + ? < ?",
                (certificate.device_id, grace_ns, now_wall_ns),
            )

    def certificate(self, serial: str) -> DeviceCertificate | None:
        """See :meth:`Access.certificate`."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT * FROM device_certificates WHERE serial = ?", (serial,)).fetchone()
            return DeviceCertificate(**row) if row else None

    def meet(self, certificate: DeviceCertificate) -> DeviceCertificate:
        """See :meth:`Access.meet`."""
        with self._database.writing() as connection:
            revoked = [each.revoked_wall_ns or 0 for each in _of_device(connection, certificate.device_id)]
            if max(revoked, default=0) > certificate.issued_wall_ns:
                certificate = replace(certificate, revoked_wall_ns=max(revoked))
            _insert(connection, "device_certificates", asdict(certificate))
            return certificate

    def certificates(self) -> tuple[DeviceCertificate, ...]:
        """See :meth:`Access.certificates`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT *, max(issued_wall_ns) AS newest FROM device_certificates GROUP BY device_id ORDER BY device_id"
            )
            return tuple(DeviceCertificate(**{key: row[key] for key in row.keys()[:-1]}) for row in rows)

    def revoke_device(self, device_id: str, now_wall_ns: int) -> int:
        """See :meth:`Access.revoke_device`."""
        with self._database.writing() as connection:
            return _revoke(connection, device_id, now_wall_ns)

    def revoked_since(self, wall_ns: int) -> Sequence[DeviceCertificate]:
        """See :meth:`Access.revoked_since`."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT * FROM device_certificates WHERE revoked_wall_ns > ?", (wall_ns,))
            return [DeviceCertificate(**row) for row in rows]

    def note(self, entry: AuditEntry) -> None:
        """See :meth:`Access.note`."""
        with self._database.writing() as connection:
            number = _insert(connection, "audit", asdict(entry))
            connection.execute("DELETE FROM audit WHERE entry_id <= ?", (number - _ENTRIES_KEPT,))

    def audit(self, most: int) -> tuple[AuditEntry, ...]:
        """See :meth:`Access.audit`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT wall_ns, actor, action, subject, detail, address FROM audit ORDER BY entry_id DESC LIMIT ?",
                (most,),
            )
            return tuple(AuditEntry(**row) for row in rows)


def _insert(connection: sqlite3.Connection, table: str, values: dict[str, Any]) -> int:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    inserted = connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608  our own names
    assert inserted.lastrowid is not None
    return inserted.lastrowid


def _access_token(row: sqlite3.Row) -> AccessToken:
    return AccessToken(**{**dict(row), "role": Role(row["role"])})


def _enrolment_token(connection: sqlite3.Connection, token_id: str) -> EnrolmentToken | None:
    row = connection.execute("SELECT * FROM enrolment_tokens WHERE token_id = ?", (token_id,)).fetchone()
    return EnrolmentToken(**row) if row else None


def _token_fault(token: EnrolmentToken | None, digest: bytes, certificate: DeviceCertificate) -> str:
    if token is None or not hmac.compare_digest(token.digest, digest):
        return _UNKNOWN
    if token.uses_left < 1:
        return "this enrolment token has been used up or revoked: make another with edgeprof token create"
    if token.expires_wall_ns <= certificate.issued_wall_ns:
        return "this enrolment token has expired: make another with edgeprof token create"
    if token.device_id and token.device_id != certificate.device_id:
        return f"this enrolment token is for '{token.device_id}', not for '{certificate.device_id}'"
    return ""


def _name_fault(connection: sqlite3.Connection, token: EnrolmentToken | None, certificate: DeviceCertificate) -> str:
    """Nobody takes an enrolled device's name with a token that was not made for it."""
    if token and token.device_id:
        return ""
    taken = any(
        each.revoked_wall_ns is None
        and each.expires_wall_ns > certificate.issued_wall_ns
        and each.key_digest != certificate.key_digest
        for each in _of_device(connection, certificate.device_id)
    )
    if not taken:
        return ""
    name = certificate.device_id
    return (
        f"'{name}' is enrolled already: if it is this device, make its token with edgeprof token create --device {name}"
    )


def _of_device(connection: sqlite3.Connection, device_id: str) -> list[DeviceCertificate]:
    rows = connection.execute("SELECT * FROM device_certificates WHERE device_id = ?", (device_id,))
    return [DeviceCertificate(**row) for row in rows]


def _revoke(connection: sqlite3.Connection, device_id: str, now_wall_ns: int) -> int:
    return connection.execute(
        "UPDATE device_certificates SET revoked_wall_ns = ? WHERE device_id = ? AND revoked_wall_ns IS NULL",
        (now_wall_ns, device_id),
    ).rowcount
