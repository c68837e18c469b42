"""Uploads and downloads that Alfred signs with nothing but its configuration: the storage document's limits hold."""

import io
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.contract import StackContract
from infra.presigned import PresignError, Signer, download
from tests.smoke import clients
from tests.smoke.alfred import LIMITS, load

pytestmark = pytest.mark.application("alfred")


@pytest.fixture
def variables(alfred_file: Path) -> dict[str, str]:
    return load(alfred_file)


@pytest.fixture
def signer(variables: dict[str, str]) -> Signer:
    return Signer(
        endpoint=variables["GLOBAL_S3_ENDPOINT"],
        region=variables["REGION"],
        access_key=variables["AWS_ACCESS_KEY_ID"],
        secret_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture
def key(contract: StackContract) -> Iterator[str]:
    """A key that nobody else uses, in any bucket; its objects go at the end."""
    made = f"strata-smoke/{uuid.uuid4()}"
    yield made
    client = clients.object_store(contract, "alfred")
    for bucket in clients.object_store_slice(contract, "alfred").buckets.values():
        for found in client.list_objects(bucket.name, prefix=made):
            client.remove_object(bucket.name, str(found.object_name))


@pytest.mark.parametrize("bucket", LIMITS)
def test_a_signed_upload_takes_the_documents_largest_file_and_not_a_byte_more(
    variables: dict[str, str], signer: Signer, contract: StackContract, bucket: str, key: str
) -> None:
    name, limit = variables[f"S3_BUCKET_{bucket}"], LIMITS[bucket][0]
    types = variables[f"S3_BUCKET_{bucket}_CONTENT_TYPES"].split(",")
    size = int(variables[f"S3_BUCKET_{bucket}_MAX_SIZE"])
    form = signer.upload(name, key, types[0], max_size=size, content_types=types)

    def post(length: int) -> int:
        fields: dict[str, str | bytes | tuple[str, str | bytes]] = {**form.fields, "file": ("file", bytes(length))}
        return clients.s3_http(contract).request("POST", form.url, fields=list(fields.items()), timeout=60).status

    client = clients.object_store(contract, "alfred")
    assert post(limit + 1) == 400
    assert list(client.list_objects(name, prefix=key)) == [], "what was too large was stored"
    fits = limit if limit <= LIMITS["USER_UPLOADS"][0] else 1  # versions of larger ones would fill the store
    assert post(fits) == 204
    assert client.stat_object(name, key).size == fits
    with pytest.raises(PresignError, match=f"`{name}` does not take text/html"):
        signer.upload(name, key, "text/html", max_size=size, content_types=types)


def test_the_example_of_the_readme_uploads(
    variables: dict[str, str],
    contract: StackContract,
    key: str,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readme = (pytestconfig.rootpath / "applications" / "alfred" / "README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(example.replace("42/cat.png", key), names)  # noqa: S102 - our own
    fields: dict[str, str | bytes | tuple[str, str | bytes]] = {**names["form"].fields, "file": ("file", b"cat")}
    assert clients.s3_http(contract).request("POST", names["form"].url, fields=list(fields.items())).status == 204
    stored = clients.object_store(contract, "alfred").stat_object(variables["S3_BUCKET_USER_UPLOADS"], key)
    assert (stored.size, stored.content_type) == (3, "image/png")


def test_a_download_is_signed_for_the_view_that_fetches_it(contract: StackContract, key: str) -> None:
    """The Host header is what somebody beside the store would send; the connection is this host's."""
    bucket = clients.object_store_slice(contract, "alfred").buckets["agent-documents"].name
    clients.object_store(contract, "alfred").put_object(bucket, key, io.BytesIO(b"signed"), 6)
    host, network = (
        urlsplit(download(contract, "alfred", "agent-documents", key, view=v))
        for v in ("host", clients.inside(contract))
    )
    assert (host.query, host.netloc) != (network.query, network.netloc)
    through = network._replace(netloc=host.netloc).geturl()
    assert clients.s3_http(contract).request("GET", through, headers={"Host": network.netloc}).data == b"signed"
    assert clients.s3_http(contract).request("GET", through).status == 403, "it would be taken from anywhere"
    assert clients.s3_http(contract).request("GET", host.geturl()).data == b"signed"
