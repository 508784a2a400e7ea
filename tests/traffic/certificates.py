"""A certificate authority of the tests, and certificates of servers."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)


class Authority:
    """A certificate authority; ``path`` is the file that a client trusts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority of the tests")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        certificate = _builder(self._name, self._name, self._key, -2 * DAY, 2 * DAY)
        signed = certificate.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        self.path = directory / "authority.pem"
        self.path.write_bytes(signed.public_bytes(Encoding.PEM))

    def certify(
        self, *hosts: str, begins: timedelta = -DAY, ends: timedelta = DAY, is_own: bool = False
    ) -> ssl.SSLContext:
        """Return the server's side of TLS with a certificate for *hosts*; *is_own* means self-signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(hosts[0])
        certificate = _builder(name, name if is_own else self._name, key, begins, ends).add_extension(
            x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False
        )
        signed = certificate.sign(key if is_own else self._key, hashes.SHA256())
        path = self._directory / f"{x509.random_serial_number()}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(signed.public_bytes(Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: timedelta, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), now + begins, now + ends
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
