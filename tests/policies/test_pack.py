"""The pack as a whole: metadata that readers need, tokens that exist, and speed."""

import re
import subprocess
import sys
from pathlib import Path

import pulumi_docker
import pulumi_kubernetes as kubernetes
import pulumi_random
import pulumi_tls
import yaml

from components.slices import (
    Bucket,
    Collection,
    Database,
    KeptSecret,
    ObjectStoreUser,
    PublicBucket,
    QdrantLogin,
    RedisDefaultUser,
    RedisUser,
    Role,
    SecretFile,
)
from policies.rules import RULES, ResourceRule, tokens

_PACK = Path(__file__).parents[2] / "policies"


def test_tokens_are_those_of_the_sdk() -> None:
    assert pulumi_docker.Container.pulumi_type == tokens.CONTAINER
    assert pulumi_docker.Network.pulumi_type == tokens.NETWORK
    assert pulumi_docker.RemoteImage.pulumi_type == tokens.REMOTE_IMAGE
    assert pulumi_docker.Volume.pulumi_type == tokens.VOLUME
    assert pulumi_random.RandomPassword.pulumi_type == tokens.RANDOM_PASSWORD
    assert pulumi_tls.PrivateKey.pulumi_type == tokens.PRIVATE_KEY
    objects = (
        (kubernetes.apps.v1.DaemonSet, tokens.DAEMON_SET),
        (kubernetes.apps.v1.Deployment, tokens.DEPLOYMENT),
        (kubernetes.apps.v1.StatefulSet, tokens.STATEFUL_SET),
        (kubernetes.batch.v1.CronJob, tokens.CRON_JOB),
        (kubernetes.batch.v1.Job, tokens.JOB),
        (kubernetes.core.v1.ConfigMap, tokens.CONFIG_MAP),
        (kubernetes.core.v1.Namespace, tokens.NAMESPACE),
        (kubernetes.core.v1.PersistentVolumeClaim, tokens.CLAIM),
        (kubernetes.core.v1.Pod, tokens.POD),
        (kubernetes.core.v1.Secret, tokens.SECRET),
        (kubernetes.core.v1.Service, tokens.SERVICE),
        (kubernetes.networking.v1.NetworkPolicy, tokens.NETWORK_POLICY),
        (kubernetes.policy.v1.PodDisruptionBudget, tokens.DISRUPTION_BUDGET),
        (kubernetes.storage.v1.StorageClass, tokens.STORAGE_CLASS),
    )
    for kind, token in objects:
        assert kind.pulumi_type == token
    assert {token for _, token in objects} == {
        token for token in vars(tokens).values() if str(token).startswith("kubernetes:")
    }
    slices = (Bucket, Collection, Database, ObjectStoreUser, PublicBucket, QdrantLogin, RedisDefaultUser, RedisUser)
    made = {f"pulumi-python:{kind._resource_type_name}" for kind in (*slices, KeptSecret, Role, SecretFile)}
    assert made == {token for token in vars(tokens).values() if str(token).startswith("pulumi-python:")}


def test_rules_look_at_pinned_tokens_only() -> None:
    pinned = {value for name, value in vars(tokens).items() if name.isupper()}
    assert set().union(*(rule.applies_to for rule in RULES if isinstance(rule, ResourceRule))) <= pinned


def test_names_are_unique_and_kebab_case() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|[a-z]+", name)] == []


def test_every_rule_says_what_it_wants_how_to_get_there_and_why() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[A-Z][^.]*\.", rule.description), f"{rule.name}: one sentence"
        assert rule.remediation_steps.endswith("."), rule.name
        assert rule.url.startswith("https://"), rule.name


def test_the_engine_is_given_the_metadata() -> None:
    for rule in RULES:
        policy = rule.policy()
        assert (policy.name, policy.description, policy.severity) == (rule.name, rule.description, rule.severity)
        assert (policy.remediation_steps, policy.url) == (rule.remediation_steps, rule.url)


def test_importing_the_rules_serves_nothing_and_loads_no_provider_sdk() -> None:
    code = "import sys, policies.rules; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not {"pulumi_docker", "pulumi_kubernetes", "pulumi_tls", "policies.__main__"} & set(done.stdout.split())


def test_the_pack_names_the_projects_own_virtual_environment() -> None:
    project = yaml.safe_load((_PACK / "PulumiPolicy.yaml").read_text())
    assert (_PACK / project["runtime"]["options"]["virtualenv"]).resolve() == _PACK.parent / ".venv"
