"""Pulumi.<stack>.yaml means what it means to the official CLI, and its mistakes have a line."""

import json
from pathlib import Path

import pytest

from engine.config import StackConfig, encryption_salt, load_stack_config
from engine.errors import EngineError
from engine.project import load_project
from engine.secrets import Vault
from engine.values import Secret
from engine.yamlfile import read_yaml
from tests.engine.projects import project, section


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(32), "v1:c2FsdA==:v1:bm9uY2U=:cHJvb2Y=")


def stack(root: Path, config: str, declared: str = "", vault: Vault | None = None) -> StackConfig:
    found = project(root, declared)
    file = found.config_file("dev")
    file.write_text(section(config))
    return load_stack_config(found, "dev", file, vault.decrypt if vault else pytest.fail)


def test_a_program_is_given_what_the_cli_gives_it(tmp_path: Path) -> None:
    found = stack(
        tmp_path,
        """\
          text: plain
          number: 5432
          ratio: 0.5
          whole: 2.0
          yes: yes
          truth: true
          version: "17"
          nothing:
          time: 1:30
          unicode: "ünï ✓"
          other:region: eu
          other:config:old: form
          object: {b: [1, {c: null}], a: 2.5}
          list: [b, a]
        """,
    )
    assert found.values == {
        "shop:text": "plain",
        "shop:number": "5432",
        "shop:ratio": "0.5",
        "shop:whole": "2",
        "shop:yes": "yes",
        "shop:truth": "true",
        "shop:version": "17",
        "shop:nothing": "",
        "shop:time": "1:30",
        "shop:unicode": "ünï ✓",
        "other:region": "eu",
        "other:old": "form",
        "shop:object": '{"a":2.5,"b":[1,{"c":null}]}',
        "shop:list": '["b","a"]',
    }
    environment = found.environment()
    assert json.loads(environment["PULUMI_CONFIG"]) == found.values
    assert json.loads(environment["PULUMI_CONFIG_SECRET_KEYS"]) == []
    assert found.of_package("other") == {"region": "eu", "old": "form"}


def test_secure_values_are_decrypted_and_stay_marked(tmp_path: Path, vault: Vault) -> None:
    plain, nested = vault.encrypt("s3cr3t"), vault.encrypt("in/side")
    found = stack(
        tmp_path,
        f"""\
          key: {{secure: "{plain}"}}
          object: {{user: me, password: {{secure: "{nested}"}}}}
          docker:token: {{secure: "{plain}"}}
          not: {{secure: [1]}}
        """,
        vault=vault,
    )
    assert found.values["shop:key"] == "s3cr3t"
    assert found.values["shop:object"] == '{"password":"in/side","user":"me"}'
    assert found.secret_keys == {"shop:key", "shop:object", "docker:token"}
    assert json.loads(found.environment()["PULUMI_CONFIG_SECRET_KEYS"]) == ["docker:token", "shop:key", "shop:object"]
    assert found.of_package("docker") == {"token": Secret("s3cr3t")}
    assert found.as_properties()["shop:key"] == Secret("s3cr3t")
    assert "s3cr3t" not in json.dumps(found.recorded)
    assert "in/side" not in json.dumps(found.recorded)
    assert found.recorded["shop:key"] == {"secure": plain}
    assert "s3cr3t" not in repr(found)


def test_a_secure_value_of_another_salt_is_named(tmp_path: Path, vault: Vault) -> None:
    other = Vault(b"x" * 32, vault.salt).encrypt("s3cr3t")
    with pytest.raises(EngineError, match=r"Pulumi\.dev\.yaml:3: 'shop:key' can't be decrypted") as refused:
        stack(tmp_path, f'  a: 1\n  key: {{secure: "{other}"}}\n', vault=vault)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", ["x", "'5'", "5", "true", "''"], ["[a]", "{a: 1}"]),
        ("integer", ["5", "-5", "'5'", "5.0"], ["x", "5.5", "''", "true", "[5]", "5e-1"]),
        ("boolean", ["true", "false", "'true'"], ["yes", "1", "'True'", "{a: true}"]),
        ("object", ["{}", "{a: 1}"], ["x", "[1]", "'{}'"]),
        ("array, items: {type: integer}", ["[]", "[1, '2']"], ["x", "[a]", "[true]", "[1.5]", "[[1]]", "{a: 1}"]),
        ("array, items: {type: array, items: {type: string}}", ["[[a], []]"], ["[a]", "[[1]]"]),
    ],
)
def test_declared_types_are_enforced_as_the_cli_does(
    kind: str, good: list[str], bad: list[str], tmp_path: Path
) -> None:
    declared = f"  key: {{type: {kind}}}\n"
    for value in good:
        stack(tmp_path, f"  key: {value}\n", declared)
    for value in bad:
        with pytest.raises(EngineError, match=r"Pulumi\.dev\.yaml:2: 'shop:key' must be of type"):
            stack(tmp_path, f"  key: {value}\n", declared)


def test_type_names_are_the_cli_s(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"must be of type array<array<string>>"):
        stack(tmp_path, "  key: x\n", "  key: {type: array, items: {type: array, items: {type: string}}}\n")


def test_defaults_fill_what_the_stack_leaves_out(tmp_path: Path) -> None:
    declared = """\
      port: {type: integer, default: 5432}
      images: {type: object, default: {source: registry}}
      short: text
      list: [a]
      set: {default: no}
      off: {type: boolean, default: false}
      aws:region: eu-west-1
      docker:host: {value: tcp}
    """
    found = stack(tmp_path, "  set: mine\n", declared)
    assert found.values == {
        "shop:set": "mine",
        "shop:port": "5432",
        "shop:images": '{"source":"registry"}',
        "shop:short": "text",
        "shop:list": '["a"]',
        "shop:off": "false",
        "aws:region": "eu-west-1",
        "docker:host": "tcp",
    }


def test_missing_values_are_all_named_with_what_to_write(tmp_path: Path) -> None:
    declared = "  a: {type: string}\n  b: {type: array, items: {type: string}}\n  c: {description: free}\n  d: 1\n"
    message = "Write under 'config:'\n  shop:a: <string>\n  shop:b: <array<string>>\n  shop:c: <value>"
    with pytest.raises(EngineError) as refused:
        stack(tmp_path, "", declared)
    assert str(refused.value).endswith(message)
    assert f"{tmp_path}/Pulumi.dev.yaml: stack 'dev' is missing configuration." in str(refused.value)
    found = load_project(tmp_path)
    with pytest.raises(EngineError, match=r"Pulumi\.new\.yaml: .*that file does not exist"):
        load_stack_config(found, "new", found.config_file("new"), pytest.fail)


def test_declared_secrets_must_be_secure(tmp_path: Path, vault: Vault) -> None:
    declared = "  key: {type: string, secret: true}\n"
    with pytest.raises(EngineError, match=r"Pulumi\.dev\.yaml:2: 'shop:key' must be encrypted"):
        stack(tmp_path, "  key: s3cr3t\n", declared)
    assert stack(tmp_path, f'  key: {{secure: "{vault.encrypt("x")}"}}\n', declared, vault).secret_keys == {"shop:key"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config:\n  a: [\n", r"Pulumi\.dev\.yaml:3: not valid YAML"),
        ("config:\n  a: b: c\n", r"Pulumi\.dev\.yaml:2: not valid YAML"),
        ("\tconfig: 1\n", r"Pulumi\.dev\.yaml:1: not valid YAML"),
        ("config: [a]\n", r"Pulumi\.dev\.yaml:1: 'config' must be a mapping"),
        ("- config\n", r"Pulumi\.dev\.yaml: expected a mapping"),
        ("config:\n  a: 1\n  shop:a: 2\n", r"Pulumi\.dev\.yaml:3: 'shop:a' is given twice"),
        ("config:\n  a: 1\n  a: 2\n", r"Pulumi\.dev\.yaml:3: 'a' is given twice, first in line 2"),
        ("config:\n  o: {x: 1,\n    x: 2}\n", r"Pulumi\.dev\.yaml:3: 'x' is given twice"),
        ("config:\n  a:b:c: 1\n", r"Pulumi\.dev\.yaml:2: 'a:b:c' is no configuration key"),
        ("config:\n  ':a': 1\n", r"Pulumi\.dev\.yaml:2: ':a' is no configuration key"),
        ("config:\n  a: !!binary aGk=\n", r"Pulumi\.dev\.yaml:2: not valid YAML: could not determine a constructor"),
        ("config:\n  a: \x01\n", r"Pulumi\.dev\.yaml: not valid YAML"),
        ("config:\n  ? [a]\n  : 1\n", r"Pulumi\.dev\.yaml:2: a key must be text"),
    ],
)
def test_a_mistake_in_a_stack_file_has_its_line(text: str, message: str, tmp_path: Path) -> None:
    found = project(tmp_path)
    file = found.config_file("dev")
    file.write_text(text)
    with pytest.raises(EngineError, match=message):
        load_stack_config(found, "dev", file, pytest.fail)


def test_bytes_that_are_no_text_are_one_error(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_bytes(b"config:\n  a: \xff\n")
    with pytest.raises(EngineError, match=r"Pulumi\.dev\.yaml: not UTF-8"):
        read_yaml(file)
    file.write_bytes(b"\xef\xbb\xbfconfig:\n  a: 1\n")
    assert read_yaml(file).value == {"config": {"a": 1}}


def test_the_salt_is_optional(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    assert encryption_salt(file) is None
    file.write_text("config: {}\n")
    assert encryption_salt(file) is None
    file.write_text("secretsprovider: awskms://x\n")
    with pytest.raises(EngineError, match=r"Pulumi\.dev\.yaml:1: secrets provider 'awskms://x'"):
        encryption_salt(file)
    file.write_text("encryptionsalt: v1:AAECAwQFBgc=:v1:a:b\nsecretsprovider: passphrase\n")
    assert encryption_salt(file) == "v1:AAECAwQFBgc=:v1:a:b"


@pytest.mark.parametrize("text", ["", "# nothing\n", "config:\n", "config: {}\n"])
def test_a_stack_without_configuration_is_fine(text: str, tmp_path: Path) -> None:
    found = project(tmp_path)
    file = found.config_file("dev")
    file.write_text(text)
    assert load_stack_config(found, "dev", file, pytest.fail).values == {}


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    found = stack(tmp_path, "  a: &base {x: 1}\n  b: {<<: *base, y: 2}\n  c: *base\n")
    assert found.values == {"shop:a": '{"x":1}', "shop:b": '{"x":1,"y":2}', "shop:c": '{"x":1}'}


def test_the_project_s_own_files_load() -> None:
    found = load_project(Path(__file__).parents[2])
    for name in ("dev", "prod"):
        config = load_stack_config(found, name, found.config_file(name), pytest.fail)
        assert config.values["strata:stage"]
        assert config.secret_keys == frozenset(), "the committed files carry no secrets"
        assert encryption_salt(found.config_file(name)) is None
