"""How a client verifies a server: by the authority that a stack says, and by no other."""

import hashlib
import ssl
from pathlib import Path
from typing import Any

from components import privatefiles


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


def complaint(error: object) -> str | None:
    """What is wrong with a certificate, where that is why `error` came; None for any other failure."""
    text = str(error)
    if "certificate verify failed" not in text and "CERTIFICATE_VERIFY_FAILED" not in text:
        return None
    reason = text.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0].rstrip("')")
    return f"its certificate can't be trusted: {reason}. `strata up` renews one that has ended"
