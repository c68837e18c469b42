"""Whole files that an application has templates for, loaded back the way it would load them."""

import json
import stat
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from infra import config_files, settings
from infra.contract import StackContract
from infra.rendering import ConfigError, Renderer
from tests.smoke.applications.files import expanded
from tests.unit import contracts
from tests.unit.conftest import ROOT
from tests.unit.test_config_files import HARD_PASSWORDS

YAML = """\
postgres:
  host: {{ env.HOST | yaml }}
  port: {{ env.PORT | number }}
  password: {{ env.PASSWORD | yaml }}
  url: {{ env.URL | yaml }}
"""
JSON = '{"host": {{ env.HOST | tojson }}, "port": {{ env.PORT | number }}, "password": {{ env.PASSWORD | tojson }}}'
VARIABLES = {
    "HOST": "{{ postgres.host }}",
    "PORT": "{{ postgres.port }}",
    "PASSWORD": "{{ postgres.password }}",
    "URL": "postgres://x:{{ postgres.password | urlencode }}@h/d",
    "ODD": "a b}",
}


def render(template: str, password: str, *, placeholders: bool = False) -> str:
    renderer = Renderer(contracts.contract(password), stack="dev", app="alfred", view="host")
    variables = renderer.variables(VARIABLES, file="application.yaml")
    return renderer.file(template, variables, name="applications/alfred/templates/a.yaml.j2", placeholders=placeholders)


@pytest.mark.parametrize("password", HARD_PASSWORDS)
def test_every_password_arrives_in_yaml_and_json(password: str) -> None:
    loaded: dict[str, Any] = yaml.safe_load(render(YAML, password))["postgres"]
    assert (loaded["host"], loaded["port"], loaded["password"]) == ("127.0.0.1", 5432, password)
    assert json.loads(render(JSON, password)) == {"host": "127.0.0.1", "port": 5432, "password": password}


def test_placeholders_hold_no_secret_and_expand_to_the_same() -> None:
    text = render(YAML + "odd: {{ env.ODD }}\n", "hunter2/", placeholders=True)
    assert "hunter2" not in text
    assert "host: ${HOST:-127.0.0.1}" in text
    assert "port: ${PORT:-5432}" in text
    assert "password: ${PASSWORD:-}" in text
    assert "url: ${URL:-}" in text, "a URL with a password in it is a secret, too"
    assert "odd: ${ODD:-}" in text, "a default that ends the placeholder early would be cut off"
    renderer = Renderer(contracts.contract("hunter2/"), stack="dev", app="alfred", view="host")
    filled = yaml.safe_load(render(YAML, "hunter2/"))
    loaded = yaml.safe_load(expanded(text, renderer.variables(VARIABLES, file="x")))
    assert loaded["postgres"] == filled["postgres"]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ env.NOTHING }}", "NOTHING"),
        ("{{ env.PASSWORD | number }}", "is none"),
        ("{{ {}[postgres.password] }}", "[secret]"),
    ],
)
def test_a_wrong_template_names_its_file_but_no_secret(template: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render(template, "hunter2")
    assert "applications/alfred/templates/a.yaml.j2" in str(caught.value)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_of_the_users_is_not_lost(tmp_path: Path) -> None:
    target = tmp_path / "config" / "storage.yaml"
    ours = config_files.headed(target.name, "a: 1\n", f"{config_files.MARK} alfred`.")
    assert config_files.hand_out(target, ours) == target
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    config_files.hand_out(target, ours.replace("1", "2"))
    assert yaml.safe_load(target.read_text()) == {"a": 2}
    target.write_text("theirs: 1\n")
    with pytest.raises(ConfigError, match=r"storage\.yaml exists, and Strata did not write it"):
        config_files.hand_out(target, ours)
    assert target.read_text() == "theirs: 1\n"


def test_templates_are_found_by_their_paths(tmp_path: Path) -> None:
    folder = tmp_path / "applications" / "alfred" / "templates"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "storage.yaml.j2").write_text("a")
    (folder / "agent.yml.j2").write_text("b")
    (folder / "notes.txt").write_text("c")
    assert config_files.templates(tmp_path, "alfred") == {"agent.yml": "b", "config/storage.yaml": "a"}
    assert config_files.templates(tmp_path, "other") == {}


def test_remove_takes_files_of_templates_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    config_files.write(config_files.folder("dev", "alfred") / "config" / "storage.yaml", "a: 1\n")
    kept = config_files.write(config_files.folder("other", "alfred") / "agent.yml", "a: 1\n")
    assert [path.name for path in config_files.remove("dev")] == ["storage.yaml"]
    assert not config_files.folder("dev", "alfred").exists()
    assert kept.exists()


def of_application(app: str, password: str) -> Renderer:
    """A renderer of one of the project's applications, whose backends have passwords that are made of `password`."""
    outputs = contracts.outputs(password)
    for part in ("applications", "credentials"):
        outputs[part] = {app: outputs[part].pop("alfred")}
    outputs["applications"][app]["object_store"]["buckets"] = {"files": {"name": "f", "public": False}}
    contract = StackContract.model_validate(outputs)
    return Renderer(contract, stack="dev", app=app, view="host")


def files(app: str, password: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Its variables, and its files, loaded."""
    renderer, claim = of_application(app, password), settings.read_application(ROOT, app)
    variables = renderer.variables(claim.config, file="application.yaml")
    texts = config_files.templates(ROOT, app)
    return variables, {name: yaml.safe_load(renderer.file(text, variables, name=name)) for name, text in texts.items()}


@pytest.mark.parametrize("password", HARD_PASSWORDS)
def test_every_password_arrives_in_the_assistants_file(password: str) -> None:
    _, loaded = files("assistant", password)
    storage = loaded["config/storage.yaml"]
    assert storage["postgres"]["password"] == password
    assert storage["redis"]["password"] == f"redis-{password}"
    assert storage["minio"]["secret_key"] == f"s3-{password}"


@pytest.mark.parametrize("password", HARD_PASSWORDS)
def test_every_password_arrives_through_saikis_variables(password: str) -> None:
    variables, loaded = files("saiki", password)
    for name, key in (("agent.yml", "password"), ("agent.url.yml", "url")):
        reference = loaded[name]["storage"]["database"][key]
        value = variables[reference.removeprefix("$")]
        assert (value if key == "password" else unquote(urlsplit(value).password or "")) == password
    cache = urlsplit(variables[loaded["agent.yml"]["storage"]["cache"]["url"].removeprefix("$")])
    assert unquote(cache.password or "") == f"redis-{password}"
