"""How a client verifies a server: by the authority that a stack says, and by no other."""

import hashlib
import re
import socket
import ssl
import struct
from pathlib import Path
from typing import Any, Final

from components import privatefiles

# Postgres speaks TLS after a request in its own words (protocol 53.2.10: SSLRequest, answered with S).
POSTGRES: Final = struct.pack("!ii", 8, 80877103)

STOP: Final = "If another server answers there, stop that one"
_UNTRUSTED: Final = "its certificate can't be trusted"
# What OpenSSL, urllib3, redis-py and libpq say, and what it means.
_COMPLAINTS: Final = (
    (r"certificate has expired", "its certificate has ended. `strata up` makes another one"),
    (r"not yet valid", "its certificate is not valid yet: set the clock of this machine"),
    (
        r"not valid for '(?P<name>[^']*)'|does not match host name \"(?P<host>[^\"]*)\"",
        f"its certificate is for other names than {{name}}. {STOP}",
    ),
    (
        r"self.signed certificate|unable to get (local )?issuer|certificate signature failure",
        f"its certificate is not of this stack's authority. {STOP}",
    ),
    (r"(?i)certificate[_ ]verify[_ ]failed", _UNTRUSTED),
    (r"(?i)wrong[_ ]version[_ ]number|record layer failure|does not support SSL", f"it speaks no TLS. {STOP}"),
)


class NoTlsError(OSError):
    """The server knows no TLS."""


def ca_file(ca: str) -> Path:
    """A file with the authority, for clients that read nothing but files. Raises OSError."""
    name = hashlib.sha256(ca.encode()).hexdigest()[:32]
    path = privatefiles.state_home() / "authorities" / f"{name}.pem"
    if not path.exists():
        privatefiles.create(path, ca)
    return path


def context(ca: str) -> ssl.SSLContext:
    """Verifies certificate and name. TLS 1.2 is the oldest that servers and drivers of the last ten years need."""
    made = ssl.create_default_context(cadata=ca)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def verified(ca: str | None) -> dict[str, Any]:
    """What a pool of urllib3 is told of the authority; nothing without one."""
    return {} if ca is None else {"ssl_context": context(ca)}


def end(host: str, port: int, ca: str, *, timeout: float, request: bytes = b"") -> float:
    """When the certificate ends that a server shows, in seconds since 1970. Raises OSError for one not to be trusted.

    `request` is what has to be sent first, if the server's protocol has such a thing.
    """
    with socket.create_connection((host, port), timeout=timeout) as plain:
        if request:
            plain.sendall(request)
            if plain.recv(1) != b"S":
                raise NoTlsError("the server does not support SSL")
        with context(ca).wrap_socket(plain, server_hostname=host) as session:
            shown = session.getpeercert()
    assert shown  # verified
    return ssl.cert_time_to_seconds(str(shown["notAfter"]))


def complaint(error: object) -> str | None:
    """What is wrong with the server's TLS, where that is why `error` came; None for any other failure."""
    text = str(error)
    for pattern, meaning in _COMPLAINTS:
        if found := re.search(pattern, text):
            names = found.groupdict()
            return meaning.format(name=names.get("name") or names.get("host"))
    return None


def complaint_of_postgres(error: object, host: str, port: int, ca: str | None, *, timeout: float) -> str | None:
    """The same for libpq, which says that a certificate is refused and not why: the server is asked once more."""
    found = complaint(error)
    if found == _UNTRUSTED and ca is not None:
        try:
            end(host, port, ca, timeout=timeout, request=POSTGRES)
        except OSError as again:
            return complaint(again) or found
    return found
