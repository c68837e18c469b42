"""What is signed for strangers carries the limits of the bucket, and what must not be signed is refused."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from infra.presigned import LARGEST, PresignError, Signer, download, upload
from tests.unit.contracts import contract


def conditions(fields: dict[str, str]) -> list[Any]:
    policy: list[Any] = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    return policy


def test_an_upload_is_signed_for_one_object_of_one_type_within_the_bucket_s_size() -> None:
    signed = upload(contract(), "alfred", "uploads", "cat.png", "image/png")
    assert signed.url == "http://127.0.0.1:9000/alfred-uploads"
    assert {"key": "cat.png", "Content-Type": "image/png"}.items() <= signed.fields.items()
    found = conditions(signed.fields)
    assert ["content-length-range", 0, 1024] in found, "a stranger could fill the disk"
    assert ["eq", "$key", "cat.png"] in found, "a stranger could overwrite another object"
    assert ["eq", "$Content-Type", "image/png"] in found, "a stranger could upload a page with scripts"
    assert ["eq", "$bucket", "alfred-uploads"] in found


def test_a_request_is_signed_for_the_view_from_which_it_is_made() -> None:
    assert upload(contract(), "alfred", "uploads", "k", "image/png", view="network").url.startswith(
        "http://object-store:"
    )
    assert download(contract(), "alfred", "private", "a b", view="network").startswith(
        "http://object-store:9000/alfred-private/a%20b?"
    )


def test_an_application_signs_with_nothing_but_its_configuration() -> None:
    signer = Signer(endpoint="https://s3.example:9000", region="eu-1", access_key="alfred-1", secret_key="hidden")
    form = signer.upload("files", "k", "image/png", max_size=5, content_types=["image/png"])
    assert form.url == "https://s3.example:9000/files"
    assert ["content-length-range", 0, 5] in conditions(form.fields)
    assert ["content-length-range", 0, LARGEST] in conditions(signer.upload("files", "k", "a/b", max_size=None).fields)
    assert signer.download("files", "k").startswith("https://s3.example:9000/files/k?")
    assert "hidden" not in repr(signer)
    with pytest.raises(PresignError, match="does not take text/html"):
        signer.upload("files", "k", "text/html", max_size=5, content_types=["image/png"])


def test_a_signed_url_names_the_current_key_and_no_secret() -> None:
    url = download(contract("hidden"), "alfred", "private", "k")
    assert "alfred-1" in url
    assert "hidden" not in url


@pytest.mark.parametrize(
    ("bucket", "content_type", "seconds", "complaint"),
    [
        ("secret", "image/png", 60, "alfred has no bucket `secret`. It has: private, uploads"),
        ("uploads", "text/html", 60, "`alfred-uploads` does not take text/html; it takes image/png, image/jpeg"),
        ("uploads", "image/png", 8 * 86400, "a signature lasts from one second to 7 days"),
        ("uploads", "image/png", 0, "a signature lasts from one second to 7 days"),
    ],
)
def test_what_must_not_be_signed_is_refused(bucket: str, content_type: str, seconds: int, complaint: str) -> None:
    with pytest.raises(PresignError) as caught:
        upload(contract(), "alfred", bucket, "k", content_type, expires=timedelta(seconds=seconds))
    assert complaint in str(caught.value)


def test_an_unknown_view_and_an_absent_key_are_named() -> None:
    with pytest.raises(PresignError, match="no view `cluster`"):
        download(contract(), "alfred", "private", "k", view="cluster")
    with pytest.raises(PresignError, match="hold no key of `alfred`"):
        download(contract().model_copy(update={"credentials": {}}), "alfred", "private", "k")
