"""Which cluster: found as kubectl finds it, and what is missing is said with what there is instead."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.providers.base import ProviderError, Unsupported
from engine.providers.kubernetes import kubeconfig
from engine.providers.kubernetes.kubeconfig import choose
from engine.providers.kubernetes.settings import Settings, settings

TOKEN = "very-secret-token"


def document(**more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "clusters": [
            {"name": "here", "cluster": {"server": "https://here:6443", "certificate-authority": "ca.crt"}},
            {"name": "there", "cluster": {"server": "https://there:6443"}},
        ],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        "contexts": [
            {"name": "dev", "context": {"cluster": "here", "user": "me", "namespace": "storage"}},
            {"name": "prod", "context": {"cluster": "there", "user": "me"}},
        ],
        **more,
    }


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kubeconfig, "DEFAULT", tmp_path / "default")
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(document()))
    return path


def test_the_environment_names_the_file_and_the_file_the_context(file: Path) -> None:
    choice = choose(Settings(), {"KUBECONFIG": str(file)})
    assert (choice.context, choice.cluster["server"], choice.namespace) == ("dev", "https://here:6443", "storage")
    assert choice.cluster["certificate-authority"] == str(file.parent / "ca.crt")  # it is relative to the file


def test_the_provider_has_the_last_word(file: Path) -> None:
    given = Settings(kubeconfig=str(file), context="prod", namespace="mine")
    choice = choose(given, {"KUBECONFIG": "/nowhere"})
    assert (choice.cluster["server"], choice.namespace) == ("https://there:6443", "mine")
    assert choose(Settings(kubeconfig=str(file), cluster="there"), {}).cluster["server"] == "https://there:6443"
    assert choose(Settings(context="prod", kubeconfig=str(file)), {}).namespace == "default"


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps])
def test_the_provider_may_have_the_content_itself(file: Path, write: Any) -> None:
    choice = choose(Settings(kubeconfig=write(document())), {})
    assert choice.cluster["server"] == "https://here:6443"


def test_several_files_are_one(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    mine = [{"name": "mine", "context": {"cluster": "there", "user": "me"}}]
    other.write_text(yaml.safe_dump({"clusters": [], "contexts": mine, "current-context": "mine"}))
    choice = choose(Settings(), {"KUBECONFIG": f"{other}:{file}:{tmp_path / 'absent'}"})
    assert (choice.context, choice.cluster["server"]) == ("mine", "https://there:6443")


def test_without_any_the_default_place_is_looked_at(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"KUBECONFIG is not set and .* is not there"):
        choose(Settings(), {})
    (tmp_path / "default").write_text(file.read_text())
    assert choose(Settings(), {}).context == "dev"


def test_a_pod_uses_its_service_account(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "SERVICE_ACCOUNT", tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "namespace").write_text("pods")
    inside = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    choice = choose(Settings(), inside)
    assert (choice.cluster["server"], choice.namespace) == ("https://10.96.0.1:443", "pods")


@pytest.mark.parametrize(
    ("changes", "given", "message"),
    [
        ({}, {"context": "staging"}, r"has no context 'staging'; it has dev, prod"),
        ({}, {"cluster": "x"}, r"has no cluster 'x'; it has here, there"),
        ({"users": []}, {}, r"has no user 'me'; it has none"),
        ({"current-context": ""}, {}, r"has no current context.*one of dev, prod"),
        ({"clusters": None}, {}, r"has no `clusters`"),
        ({"contexts": [{"name": "x", "context": 3}]}, {}, r"an entry in `contexts` without"),
    ],
)
def test_what_is_missing_is_said_with_what_there_is(
    file: Path, changes: dict[str, Any], given: dict[str, Any], message: str
) -> None:
    file.write_text(yaml.safe_dump(document(**changes)))
    with pytest.raises(ProviderError, match=message):
        choose(Settings(kubeconfig=str(file), **given), {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="KUBECONFIG is '/nowhere/config', and there is no such file"):
        choose(Settings(), {"KUBECONFIG": "/nowhere/config"})


def test_a_file_that_is_none_is_not_quoted(file: Path) -> None:
    file.write_text(f"token: [{TOKEN}\nx: ]: y")
    with pytest.raises(ProviderError, match=r"is no YAML \(line 2\)") as caught:
        choose(Settings(kubeconfig=str(file)), {})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"users": [{"name": "me", "user": {"as": "admin"}}]},
        {"users": [{"name": "me", "user": {"auth-provider": {"name": "oidc"}}}]},
        {"clusters": [{"name": "here", "cluster": {"server": "https://x", "tls-server-name": "y"}}]},
    ],
)
def test_what_is_not_carried_out_is_refused(file: Path, change: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(document(**change)))
    with pytest.raises(Unsupported, match="does not carry out"):
        choose(Settings(kubeconfig=str(file)), {})


def test_the_sdk_writes_switches_as_json() -> None:
    found = settings({"enableSecretMutable": "true", "enableConfigMapMutable": "false", "version": "4.34.2"})
    assert found.data_changes == {"Secret"}
    assert settings({"kubeconfig": {"a": 1}}).kubeconfig == '{"a": 1}'


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"renderYamlToDirectory": "out"}, "does not carry out renderYamlToDirectory"),
        ({"enableServerSideApply": "false"}, "enableServerSideApply=false"),
        ({"strictMode": "true"}, "does not carry out strictMode"),
    ],
)
def test_settings_without_effect_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        settings(config)


def test_a_switch_is_on_or_off() -> None:
    assert settings({"strictMode": "false", "helmReleaseSettings": "{}"}) == Settings()
    with pytest.raises(ProviderError, match="enableSecretMutable must be true or false"):
        settings({"enableSecretMutable": "perhaps"})
