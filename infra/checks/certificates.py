"""The certificate that a server shows: how long it is still valid."""

import socket
import ssl
import struct
import time
from typing import Final

from components import trust
from components.slices.errors import SliceError
from infra.access import reached
from infra.checks.reach import SECONDS, FailedError
from infra.choices import ViewName
from infra.contract import Backend

DAYS: Final = 30  # left, at least
# Postgres speaks TLS after a request in its own words (protocol 53.2.10: SSLRequest, answered with S).
SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)


def valid(server: Backend, view: ViewName, *, postgres: bool) -> str:
    """Days that are left. Raises FailedError under 30, or when it can't be trusted."""
    assert server.ca is not None
    if view not in server.views:
        raise FailedError(f"there is no view `{view}` of it", "choose another one with --from")
    try:
        host, port = reached(server.views[view])
        ends = _end(host, port, server.ca, postgres=postgres)
    except SliceError as error:
        raise FailedError(str(error), "log in to the cluster") from None
    except OSError as error:
        text = trust.complaint(error) or f"no answer at {server.views[view].host}: {error}"
        raise FailedError(text, "`strata up` makes another certificate, or starts the server") from None
    left = (ends - time.time()) / 86400
    if left < DAYS:
        raise FailedError(f"its certificate ends in {left:.0f} days", "`strata up` makes another one")
    return f"its certificate is valid for {left:.0f} days"


def _end(host: str, port: int, ca: str, *, postgres: bool) -> float:
    with socket.create_connection((host, port), timeout=SECONDS) as plain:
        if postgres:
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                raise FailedError("it speaks no TLS", "`strata up` gives it a certificate")
        with trust.context(ca).wrap_socket(plain, server_hostname=host) as session:
            shown = session.getpeercert()
    assert shown
    return ssl.cert_time_to_seconds(str(shown["notAfter"]))
