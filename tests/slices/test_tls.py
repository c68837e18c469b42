"""Backends that were given a certificate speak TLS, and nothing else, with the start scripts as they are."""

import io
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import docker
import psycopg
import pytest
import redis as redis_client
import urllib3

from components.slices.admin import Address
from components.slices.object_store.connection import connect as connect_object_store
from components.slices.postgres.connection import connect as connect_postgres
from components.slices.postgres.connection import scalar
from components.slices.qdrant.connection import connect as connect_qdrant
from components.slices.ready import ReadyProvider
from components.slices.redis.connection import connect as connect_redis
from engine.providers.base import Properties
from tests.certificates import Tls, old, trusting
from tests.slices.probing import ALIVE, READY, STARTED, passes
from tests.slices.servers import OBJECT_STORE, POSTGRES, QDRANT, REDIS, Kind, Server, eventually, redis_session, server
from tests.slices.tls_files import as_mounted_by_kubernetes, give, maker

pytestmark = pytest.mark.docker
Fresh = Callable[[Kind], Server]
KINDS = {kind.name: kind for kind in (POSTGRES, REDIS, QDRANT, OBJECT_STORE)}
NAMES = ("127.0.0.1", "localhost", "db", "db.ns.svc")
every = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@pytest.fixture(scope="module")
def certificates() -> Tls:
    return maker()


@pytest.fixture(scope="module")
def authority(certificates: Tls) -> Properties:
    return certificates.authority()


@pytest.fixture(scope="module")
def served(client: docker.DockerClient, certificates: Tls, authority: Properties) -> Iterator[Callable[[Kind], Server]]:
    """One server of each kind for the tests that leave it as it is."""
    made: dict[str, Server] = {}
    with ExitStack() as stack:

        def get(kind: Kind) -> Server:
            if kind.name not in made:
                new = stack.enter_context(server(client, kind))
                made[kind.name] = give(new, certificates.server(authority)).start().ready()
            return made[kind.name]

        yield get


def shown(server: Server, context: ssl.SSLContext, name: str = "localhost") -> bytes:
    """The certificate that a client accepts."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        if server.kind is POSTGRES:
            plain.sendall(bytes.fromhex("0000000804d2162f"))  # SSLRequest
            assert plain.recv(1) == b"S"
        with context.wrap_socket(plain, server_hostname=name) as wrapped:
            certificate = wrapped.getpeercert(binary_form=True)
            assert certificate
            return certificate


def identity(server: Server) -> Any:
    outputs = ReadyProvider().create(server.ready_props(deadline=60.0)).outs
    assert outputs
    return outputs["identity"]


def write(server: Server) -> None:
    """Something that is acknowledged."""
    address = Address.of(server.props())
    if server.kind is POSTGRES:
        with connect_postgres(address) as sql:
            sql.execute("CREATE TABLE kept AS SELECT 'value' AS value")
    elif server.kind is REDIS:
        with connect_redis(address) as commands:
            commands.command("SET", "kept", "value")
    elif server.kind is QDRANT:
        with connect_qdrant(address) as rest:
            rest.call("PUT", "/collections/kept", {"vectors": {"size": 1, "distance": "Dot"}})
            points = {"points": [{"id": 1, "vector": [1], "payload": {"is": "value"}}]}
            rest.call("PUT", "/collections/kept/points?wait=true", points)
    else:
        with connect_object_store(address) as store:
            store.s3.make_bucket("kept")
            store.s3.put_object("kept", "object", io.BytesIO(b"value"), 5)


def read(server: Server) -> str:
    address = Address.of(server.props())
    if server.kind is POSTGRES:
        with connect_postgres(address) as sql:
            return str(scalar(sql, "SELECT value FROM kept"))
    if server.kind is REDIS:
        with connect_redis(address) as commands:
            return str(commands.command("GET", "kept"))
    if server.kind is QDRANT:
        with connect_qdrant(address) as rest:
            return str(rest.call("GET", "/collections/kept/points/1")["result"]["payload"]["is"])
    with connect_object_store(address) as store, store.s3.get_object("kept", "object") as answer:
        return answer.data.decode()


@every
def test_clients_verify_it_by_each_of_its_names_and_no_other(
    kind: Kind, served: Fresh, authority: Properties, certificates: Tls
) -> None:
    made = served(kind)
    for name in NAMES:
        assert shown(made, trusting(authority["caCertPem"]), name)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shown(made, trusting(authority["caCertPem"]), "elsewhere")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self.signed"):
        shown(made, trusting(certificates.authority()["caCertPem"]))


@every
def test_tls_1_1_is_refused(kind: Kind, served: Fresh, authority: Properties) -> None:
    with pytest.raises(ssl.SSLError, match=r"ALERT_PROTOCOL_VERSION|EOF"):  # said by the server's end
        shown(served(kind), old(authority["caCertPem"]))


def test_postgres_refuses_a_plain_connection_and_says_why(served: Fresh) -> None:
    made = served(POSTGRES)
    login = f"host=127.0.0.1 port={made.port} user=postgres password={made.password} sslmode=disable"
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba.conf rejects connection .* no encryption"):
        psycopg.connect(login)


def test_redis_refuses_a_plain_connection(served: Fresh) -> None:
    made = served(REDIS)
    with pytest.raises(redis_client.exceptions.ConnectionError), redis_session(made, "admin", made.password) as session:
        session.ping()


@pytest.mark.parametrize("kind", [QDRANT, OBJECT_STORE], ids=lambda kind: kind.name)
def test_http_without_tls_gets_no_answer_from_the_api(kind: Kind, served: Fresh) -> None:
    path = {"qdrant": "/readyz", "object_store": "/minio/health/live"}[kind.name]
    try:
        status = urllib3.request("GET", f"http://127.0.0.1:{served(kind).port}{path}", retries=False).status
    except urllib3.exceptions.HTTPError:
        return
    assert status == 400, "only Go's word that this is a port for TLS"


@every
def test_probes_pass_over_tls(kind: Kind, served: Fresh) -> None:
    made = served(kind)
    eventually(lambda: passes(made, READY))
    assert passes(made, ALIVE)
    assert passes(made, STARTED)


@every
def test_a_renewed_certificate_is_served_after_a_restart_which_loses_nothing(
    kind: Kind, fresh: Fresh, authority: Properties, certificates: Tls
) -> None:
    """In the layout of a Secret, whose files are root's, readable for a group, and links."""
    made = give(fresh(kind), certificates.server(authority)).start().ready()
    before = identity(made)
    write(made)
    made.running.stop(timeout=60)
    as_mounted_by_kubernetes(made)
    made.running.start()
    assert identity(made.look()) == before
    context = trusting(authority["caCertPem"])
    first = shown(made, context)

    as_mounted_by_kubernetes(give(made, certificates.server(authority)))
    assert passes(made, READY), "renewed files are no reason to be unready"
    made.kill()
    made.running.start()
    assert identity(made.look()) == before
    assert shown(made, context) != first
    assert read(made) == "value"
    eventually(lambda: passes(made, READY))


@every
@pytest.mark.parametrize("damage", [{"tls.key": ""}, {"tls.crt": ""}], ids=["no key", "no certificate"])
def test_half_a_certificate_is_no_reason_to_speak_without_tls(
    kind: Kind, damage: dict[str, str], fresh: Fresh, authority: Properties, certificates: Tls
) -> None:
    made = give(fresh(kind), {**certificates.server(authority), **damage}).start()
    eventually(lambda: made.look().running.status == "exited")
    assert f"/run/strata/secrets/{next(iter(damage))} is missing, empty or unreadable" in made.log()
