"""The posture of every pod of the real program on Kubernetes, as Pulumi would register it.

Pulumi's mocks stand in for the engine here: nothing is created. What it does in a cluster is tested in tests/cluster.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import Mocks, mocks

from infra import delivery, platforms, settings, stack

ROOT = Path(__file__).parents[2]
CA = "-----BEGIN CERTIFICATE-----\nauthority\n-----END CERTIFICATE-----\n"


class Recorder(Mocks):
    """Records registrations; gives every resource an id and its inputs as outputs."""

    def __init__(self) -> None:
        self.resources: list[mocks.MockResourceArgs] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources.append(args)
        computed = {
            "result": f"generated-{args.name}",
            "value": f"kept-{args.name}",
            "hex": "0123456789abcdef0123456789abcdef",
            "identity": "1",
            "version": "1",
            "privateKeyPem": f"key of {args.name}",
            "certRequestPem": "request",
            "certPem": CA,
        }
        return f"{args.name}-id", {**computed, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program calls {args.token}: it must not look anything up")

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {r.name: dict(r.inputs) for r in self.resources if r.typ == kind}


@pytest.fixture(scope="module")
def program() -> Iterator[Recorder]:
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="strata", stack="prod", preview=False)
    config = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]
    config |= {"strata:stage": "test", "strata:images": {"source": "local"}}  # no digest is known of every image
    values = {key.removeprefix("strata:"): value for key, value in config.items()}

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def declare() -> None:
        wanted = settings.parse(values, file="Pulumi.prod.yaml")
        applications = settings.read_applications(wanted, ROOT)
        platform = platforms.make(wanted, applications, "strata", "prod")
        outputs = stack.deploy(wanted, applications, platform, ROOT)
        stack.export(wanted, platform, outputs)
        delivery.deliver(wanted, applications, platform, outputs, ROOT)

    declare()
    yield recorder
    mocks.set_mocks(Recorder())  # leaves no state of this program to the next test


SET = "kubernetes:apps/v1:StatefulSet"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
SETS = ["object-store", "postgres", "qdrant", "redis", "redis-assistant", "redis-praval", "redis-trends"]


@pytest.fixture(params=SETS)
def pod(request: pytest.FixtureRequest, program: Recorder) -> dict[str, Any]:
    spec: dict[str, Any] = program.of(SET)[f"{request.param}-set"]["spec"]["template"]["spec"]
    return spec


def test_every_backend_has_a_stateful_set(program: Recorder) -> None:
    assert set(program.of(SET)) == {f"{name}-set" for name in SETS}


def test_a_pod_is_as_pod_security_restricted_wants_it(pod: dict[str, Any]) -> None:
    security, own = pod["securityContext"], pod["containers"][0]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] in (999, 1000)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False


def test_requests_are_limits_so_that_a_pod_is_the_last_to_be_evicted(pod: dict[str, Any]) -> None:
    resources = pod["containers"][0]["resources"]
    assert resources["requests"] == resources["limits"]


def test_scratch_space_in_memory_is_within_the_limit_of_the_container(pod: dict[str, Any]) -> None:
    limit = int(pod["containers"][0]["resources"]["limits"]["memory"])
    sizes = [v["emptyDir"]["sizeLimit"] for v in pod["volumes"] if "emptyDir" in v]
    assert sum(int(s[:-2]) << 20 if s.endswith("Mi") else int(s) for s in sizes) < limit


def test_no_generated_secret_is_in_a_pod(pod: dict[str, Any]) -> None:
    assert "generated" not in str(pod), "a password reached env, argv, an annotation or a probe"
    assert "kept-" not in str(pod)


def test_a_recovery_is_not_killed(pod: dict[str, Any]) -> None:
    container = pod["containers"][0]
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 600
    assert container["livenessProbe"]["timeoutSeconds"] > 1


def test_the_claims_are_those_that_the_stateful_sets_adopt(program: Recorder) -> None:
    sets = program.of(SET)
    adopted = {f"data-{each['metadata']['name']}-0" for each in sets.values()}
    claims = {claim["metadata"]["name"]: claim for claim in program.of(CLAIM).values()}
    assert adopted <= set(claims)
    sizes = {n: claims[f"data-{n}-0"]["spec"]["resources"]["requests"]["storage"] for n in ("db-postgres", "redis")}
    assert sizes == {"db-postgres": "20Gi", "redis": "10Gi"}
    assert claims["data-vector-db-0"]["spec"]["resources"]["requests"]["storage"] == "30Gi"
    assert claims["db-storage-data"]["metadata"]["namespace"] == "alfred-platform"


def test_only_claimants_may_talk_to_a_backend(program: Recorder) -> None:
    policies = {p["metadata"]["name"]: p["spec"] for p in program.of(POLICY).values()}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    own, scraper = policies["redis-praval"]["ingress"]
    assert scraper["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}
    (peer,) = own["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "praval"}
    assert own["ports"] == [{"protocol": "TCP", "port": 6379}]


def test_the_document_s_own_policy_is_there(program: Recorder) -> None:
    policy = program.of(POLICY)["alfred-storage-network-policy"]
    assert policy["metadata"]["namespace"] == "alfred-platform"
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"app": "db-storage"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [{"podSelector": {"matchLabels": {"app": "alfred-platform"}}}],
                "ports": [{"protocol": "TCP", "port": 5000}],
            }
        ],
    }


def test_an_application_is_given_its_configuration_and_no_secret_in_the_open(program: Recorder) -> None:
    plain = program.of("kubernetes:core/v1:ConfigMap")["alfred-delivery-config"]
    hidden = program.of("kubernetes:core/v1:Secret")["alfred-delivery-secret"]
    assert plain["data"]["DB_HOST"] == "db-postgres.strata.svc"
    assert "generated" not in str(plain)
    assert "sslmode=verify-full" in str(hidden)
    files = program.of("kubernetes:core/v1:Secret")["alfred-delivery-files"]
    assert "authority" in str(files)
