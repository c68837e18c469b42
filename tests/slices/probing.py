"""What the kubelet would find out about a server."""

import warnings
from typing import Any, Final

import urllib3

from components.scripts.probes import probes
from tests.slices.servers import Server

READY: Final = "readinessProbe"
ALIVE: Final = "livenessProbe"
STARTED: Final = "startupProbe"


def passes(server: Server, probe: str) -> bool:
    """The kubelet, too, verifies no certificate."""
    tls = server.ca is not None
    handler: dict[str, Any] = probes(server.kind.name, tls=tls)[probe]
    if "exec" in handler:
        return bool(server.running.exec_run(handler["exec"]["command"]).exit_code == 0)
    get = handler["httpGet"]
    assert (get["port"], get["scheme"]) == (server.kind.port, "HTTPS" if tls else "HTTP")
    url = f"{get['scheme'].lower()}://127.0.0.1:{server.port}{get['path']}"
    with warnings.catch_warnings(), urllib3.PoolManager(cert_reqs="NONE", retries=False, timeout=5) as pool:
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        try:
            return pool.request("GET", url).status == 200
        except urllib3.exceptions.HTTPError:
            return False
