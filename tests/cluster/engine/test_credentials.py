"""Who asks the cluster, and what it says to those it does not know or does not let."""

from collections.abc import Callable, Iterator
from typing import Any

import certifi
import pytest
import yaml

from engine.providers.base import ProviderError
from tests.cluster.engine.bench import Bench
from tests.cluster.engine.test_objects import settings
from tests.cluster.kubectl import Kubectl

As = Callable[..., Bench]


@pytest.fixture
def using(bench: Bench, kubectl: Kubectl) -> Iterator[As]:
    """The same cluster, with another user or certificate in a kubeconfig of its own."""
    opened: list[Bench] = []

    def using(user: dict[str, Any], **cluster: Any) -> Bench:
        document = yaml.safe_load(kubectl.kubeconfig.read_text())
        document["users"] = [{**each, "user": user} for each in document["users"]]
        for each in document["clusters"]:
            each["cluster"] = {"server": each["cluster"]["server"], **(cluster or each["cluster"])}
        opened.append(Bench(kubectl, bench.image, {"kubeconfig": yaml.safe_dump(document)}))
        return opened[-1]

    yield using
    for each in opened:
        each.provider.close()


def test_a_token_that_is_not_valid_is_said_to_be(using: As) -> None:
    with pytest.raises(
        ProviderError, match=r"does not accept the credentials of user .*\(401\).*log in again"
    ) as caught:
        using({"token": "expired-and-secret"}).create(settings("unauthorised", {}))
    assert "expired-and-secret" not in str(caught.value)


def test_what_a_user_may_not_do_is_named(using: As, kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "visitor")
    visitor = using({"token": kubectl("create", "token", "visitor").strip()})
    with pytest.raises(
        ProviderError, match=r'"forbidden" is forbidden: User .*visitor" cannot get resource "configmaps"'
    ):
        visitor.create(settings("forbidden", {}))


def test_another_clusters_certificate_is_not_trusted(using: As) -> None:
    with pytest.raises(ProviderError, match=r"the certificate of https://.* can't be trusted"):
        using({"token": "x"}, **{"certificate-authority": certifi.where()}).create(settings("untrusted", {}))


def test_a_certificate_that_nobody_checks_is_no_hindrance(using: As) -> None:
    with pytest.raises(ProviderError, match="401"):
        using({"token": "x"}, **{"insecure-skip-tls-verify": True}).create(settings("insecure", {}))
