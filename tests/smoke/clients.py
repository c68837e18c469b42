"""Connections as an application makes them: its own credentials, the `host` view, a short limit for connecting."""

import json
import warnings
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import redis
import urllib3
from minio import Minio
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

from components import trust
from infra.access import reached
from infra.choices import ViewName
from infra.contract import (
    ObjectStoreCredential,
    ObjectStoreSlice,
    PostgresCredential,
    QdrantCredential,
    QdrantSlice,
    StackContract,
    View,
)

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

SECONDS = 5


def postgres(
    contract: StackContract,
    app: str,
    *,
    username: str | None = None,
    password: str | None = None,
    database: str | None = None,
) -> psycopg.Connection[tuple[Any, ...]]:
    """A session of the application, or with one of its facts replaced. It is not autocommit."""
    slice_ = contract.applications[app].postgres
    assert slice_
    view, ca = _view(contract, "postgres"), _ca(contract, "postgres")
    host, port = reached(view)
    return psycopg.connect(
        host=host,
        port=port,
        sslmode="verify-full" if view.tls else "disable",
        sslrootcert=str(trust.ca_file(ca)) if ca else None,
        dbname=database or slice_.database,
        user=username or slice_.username,
        password=postgres_credential(contract, app).password.get_secret_value() if password is None else password,
        connect_timeout=SECONDS,
        passfile="/dev/null",  # a ~/.pgpass must not make a test pass
    )


def redis_client(
    contract: StackContract, app: str, *, username: str | None = None, password: str | None = None
) -> closing["redis.Redis"]:
    """A client of the application, or with one of its facts replaced; an empty `username` and `password` mean none."""
    slice_ = contract.applications[app].redis
    assert slice_
    server = contract.server(app, "redis")
    assert server
    view = server.views["host"]
    host, port = reached(view)
    return closing(
        redis.Redis(
            host=host,
            port=port,
            ssl=view.tls,
            ssl_ca_data=server.ca,
            db=slice_.db,
            username=slice_.username if username is None else username or None,
            password=redis_password(contract, app) if password is None else password or None,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),  # a refusal is an answer: trying again would take seconds
        )
    )


def object_store(
    contract: StackContract, app: str, *, access_key: str | None = None, secret_key: str | None = None
) -> Minio:
    """A client of the application, or with one of its facts replaced; an empty `access_key` is nobody."""
    view = _view(contract, "object_store")
    credential = object_store_credential(contract, app)
    host, port = reached(view)
    return Minio(
        f"{host}:{port}",
        credential.username if access_key is None else access_key or None,
        credential.password.get_secret_value() if secret_key is None else secret_key,
        secure=view.tls,
        region=object_store_slice(contract, app).region,
        http_client=http(_ca(contract, "object_store")),
    )


def qdrant(contract: StackContract, app: str, *, key: str | None = None, grpc: bool = False) -> closing["QdrantClient"]:
    """The official client with the application's token, or another key; an empty `key` is nobody."""
    from qdrant_client import QdrantClient  # takes more than a second, which the quick tests need not wait for

    view, own = _view(contract, "qdrant"), qdrant_credential(contract, app).password.get_secret_value()
    with warnings.catch_warnings():
        # Whether there is TLS is the platform's choice.
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        host, port = reached(view)
        return closing(
            QdrantClient(
                url=f"http{'s' if view.tls else ''}://{host}:{port}",
                grpc_port=reached(view, grpc=True)[1],
                prefer_grpc=grpc,
                api_key=own if key is None else key or None,
                check_compatibility=False,
                timeout=SECONDS * 4,  # a search among all vectors, on a small machine
                # Without TLS, loading certificates would only take long.
                verify=trust.context(ca) if (ca := _ca(contract, "qdrant")) else False,
            )
        )


def qdrant_request(
    contract: StackContract,
    app: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
) -> tuple[int, Any]:
    """Status and answer of a request with the application's token, or another key; an empty `key` is nobody."""
    view, own = _view(contract, "qdrant"), qdrant_credential(contract, app).password.get_secret_value()
    key = own if key is None else key
    host, port = reached(view)
    answer = http(_ca(contract, "qdrant")).request(
        method,
        f"http{'s' if view.tls else ''}://{host}:{port}{path}",
        body=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json", **({"api-key": key} if key else {})},
    )
    try:
        return answer.status, json.loads(answer.data)
    except ValueError:
        return answer.status, answer.data.decode(errors="replace")


def qdrant_slice(contract: StackContract, app: str) -> QdrantSlice:
    slice_ = contract.applications[app].qdrant
    assert slice_
    return slice_


def qdrant_credential(contract: StackContract, app: str) -> QdrantCredential:
    credential = contract.credentials[app].qdrant
    assert credential
    return credential


def http(ca: str | None = None) -> urllib3.PoolManager:
    """A refusal is an answer: nothing is tried again."""
    return urllib3.PoolManager(timeout=SECONDS, retries=False, **trust.verified(ca))


def s3_http(contract: StackContract) -> urllib3.PoolManager:
    """For requests that are signed already."""
    return http(_ca(contract, "object_store"))


def encrypted(variables: Mapping[str, str]) -> bool:
    """Whether an application's backends speak TLS, as its variables tell it."""
    return "STRATA_CA_FILE" in variables


def inside(contract: StackContract) -> ViewName:
    """The view of who is beside the backends: in a container's network, or in the cluster."""
    assert contract.backends.object_store
    return next(view for view in contract.backends.object_store.views if view != "host")


def object_store_slice(contract: StackContract, app: str) -> ObjectStoreSlice:
    slice_ = contract.applications[app].object_store
    assert slice_
    return slice_


def object_store_credential(contract: StackContract, app: str) -> ObjectStoreCredential:
    credential = contract.credentials[app].object_store
    assert credential
    return credential


def command(client: redis.Redis, text: str) -> Any:
    """The reply to a command written as one would type it."""
    return client.execute_command(*text.split())  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


def subscriber(client: redis.Redis) -> PubSub:
    made: PubSub = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # as above
    return made


def postgres_credential(contract: StackContract, app: str) -> PostgresCredential:
    credential = contract.credentials[app].postgres
    assert credential
    return credential


def redis_password(contract: StackContract, app: str) -> str:
    credential = contract.credentials[app].redis
    assert credential
    return credential.password.get_secret_value()


def _ca(contract: StackContract, backend: str) -> str | None:
    ca: str | None = getattr(contract.backends, backend).ca
    return ca


def _view(contract: StackContract, backend: str) -> View:
    view: View = getattr(contract.backends, backend).views["host"]
    return view
