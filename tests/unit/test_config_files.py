"""Rendered configuration, loaded back the way applications load it."""

import json
import stat
import string
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from infra import config_files
from infra.choices import FORMATS, Format
from infra.rendering import ConfigError, Renderer
from tests.unit import contracts

URL = (
    "postgres://{{ postgres.username }}:{{ postgres.password | urlencode }}"
    "@{{ postgres.host }}:{{ postgres.port }}/{{ postgres.database }}"
)
FILE = "applications/alfred/application.yaml"
PRINTABLE = "".join(chr(code) for code in range(32, 127))
HARD_PASSWORDS = [
    PRINTABLE,
    PRINTABLE[::-1],
    *(f"a{character}b" for character in string.punctuation + " "),
    *(character * 2 for character in string.punctuation + " "),
    'it\'s "both"',
    "$HOME `id` $(id) ${PATH}",
    "~/x:~root",
    " leading and trailing ",
    "two\nlines\n",
    "tab\tbed",
    "\\",
    "pässwörd-€-🐘",
    "null",
    "0x10",
    "# no comment",
]


def render(password: str, **templates: str) -> dict[str, str]:
    contract = contracts.contract(password)
    renderer = Renderer(contract, stack="dev", app="alfred", view="host")
    return renderer.variables(templates or {"SECRET": "{{ postgres.password }}"}, file=FILE)


def load_with_sh(path: Path) -> dict[str, str]:
    """As applications do: `set -a; . FILE`, and the environment of a process started then."""
    dump = "import json, os; print(json.dumps(dict(os.environ)))"
    script = 'set -a; . "$1"; exec "$2" -c "$3"'
    command = ["sh", "-euc", script, "sh", str(path), sys.executable, dump]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONUTF8": "1"})
    variables: dict[str, str] = json.loads(done.stdout)
    return variables


def load(path: Path, format: Format) -> dict[str, str]:
    if format == "env":
        return load_with_sh(path)
    text = path.read_text(encoding="utf-8")
    values: dict[str, str] = yaml.safe_load(text) if format == "yaml" else json.loads(text)
    return values


@pytest.fixture(autouse=True)
def _own_state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("format", FORMATS)
def test_every_password_arrives_as_it_was_and_in_a_url(format: Format, tmp_path: Path) -> None:
    templates, expected = {}, {}
    for index, password in enumerate(HARD_PASSWORDS):
        values = render(password, PASSWORD="{{ postgres.password }}", URL=URL)
        templates[f"PASSWORD_{index}"], templates[f"URL_{index}"] = values["PASSWORD"], values["URL"]
        expected[index] = password
    path = config_files.write(
        config_files.path("dev", "alfred", format), config_files.to_text(templates, format, header="two\nlines")
    )
    loaded = load(path, format)
    for index, password in expected.items():
        assert loaded[f"PASSWORD_{index}"] == password
        url = urlsplit(loaded[f"URL_{index}"])
        assert unquote(url.password or "") == password
        assert (url.username, url.hostname, url.port, url.path) == ("authenticator", "127.0.0.1", 5432, "/alfred")


def test_plain_values_are_bare_so_that_docker_reads_them_too() -> None:
    values = render("Abc123", URL=URL, LIMIT="52428800", PATHNAME="/var/lib/storage", EMPTY="")
    lines = config_files.to_text(values, "env").splitlines()
    assert lines == [
        "URL=postgres://authenticator:Abc123@127.0.0.1:5432/alfred",
        "LIMIT=52428800",
        "PATHNAME=/var/lib/storage",
        "EMPTY=",
    ]


def test_both_backends_the_readonly_login_and_names_can_be_used() -> None:
    values = render(
        "x",
        REDIS="{{ redis.username }}@{{ redis.host }}:{{ redis.port }}/{{ redis.db }} {{ redis.prefix }}",
        READER="{{ postgres.readonly.username }}:{{ postgres.readonly.password }}",
        NAMES="{{ app }} {{ stack }} {{ stage }}",
        TLS="{{ 'rediss' if redis.tls else 'redis' }}",
    )
    assert values == {
        "REDIS": "alfred@127.0.0.1:6379/0 alfred:",
        "READER": "alfred_ro:ro-x",
        "NAMES": "alfred dev development",
        "TLS": "redis",
    }


def test_volumes_secrets_and_tokens_can_be_used() -> None:
    values = render(
        "x",
        VOLUME="{{ volumes.models.name }} {{ volumes['scratch'].name }}",
        SECRET="{{ secrets.jwt_secret }}",
        TOKEN="{{ tokens['anon_key'] }}",
    )
    assert values == {"VOLUME": "dev-models dev-scratch", "SECRET": "jwt-x", "TOKEN": "token-x"}


def test_a_secret_without_its_value_is_not_written_as_something_else() -> None:
    with pytest.raises(ConfigError, match=r"config.KEY: .*no attribute 'keys'"):
        render("x", KEY="{{ secrets.keys }}")
    contract = contracts.contract()
    credentials = contract.credentials["alfred"].model_copy(update={"secrets": None})
    partial = contract.model_copy(update={"credentials": {"alfred": credentials}})
    with pytest.raises(ConfigError, match="do not hold the secrets of `alfred`"):
        Renderer(partial, stack="dev", app="alfred", view="host")


def test_collections_tokens_and_both_ports_can_be_used() -> None:
    values = render(
        "x",
        WHERE="{{ qdrant.host }}:{{ qdrant.port }} {{ qdrant.grpc_port }}",
        KEYS="{{ qdrant.password }} {{ qdrant.readonly.password }} {{ qdrant.previous.password }}",
        ONE="{{ qdrant.collections.documents.name }} {{ qdrant.collections.documents.size }}",
        MANY="{{ qdrant.collections.media.vectors.text.size }} {{ qdrant.collections.media.vectors.image.distance }}",
    )
    assert values == {
        "WHERE": "127.0.0.1:6333 6334",
        "KEYS": "token-x reads-x before-x",
        "ONE": "documents 1536",
        "MANY": "384 Cosine",
    }


def test_another_view_gives_its_own_address() -> None:
    values = Renderer(contracts.contract(), stack="dev", app="alfred", view="network").variables(
        {"URL": URL}, file=FILE
    )
    assert "@db-postgres:5432/" in values["URL"]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ postgres.passwrd }}", "passwrd"),
        ("{{ kafka.host }}", "'kafka' is undefined"),
        ("{{ postgres.password", "unexpected end of template"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ {}[postgres.password] }}", "[secret]"),
        ("{{ {}[secrets.jwt_secret] }} {{ tokens.anon_key }}", "[secret]"),
        ("{{ volumes.model.name }}", "'dict object' has no attribute 'model'"),
        ("{% include '/etc/passwd' %}", "no loader"),
    ],
)
def test_a_wrong_template_names_file_and_key_but_no_secret(template: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render("hunter2", DATABASE_URL=template)
    text = str(caught.value)
    assert f"{FILE}: config.DATABASE_URL" in text
    assert says in text
    assert "hunter2" not in text


def test_an_unknown_view_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"no view `cluster`.*host, network"):
        Renderer(contracts.contract(), stack="dev", app="alfred", view="cluster")


def test_an_unknown_application_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"no application `ghost`.*alfred"):
        Renderer(contracts.contract(), stack="dev", app="ghost", view="host")


def test_files_are_their_owners_alone_even_over_an_open_one(tmp_path: Path) -> None:
    target = config_files.path("dev", "alfred", "env")
    target.parent.mkdir(parents=True)
    target.write_text("old")
    target.chmod(0o644)
    written = config_files.write(target, "A=b\n")
    assert written == tmp_path / "strata" / "config" / "dev" / "alfred.env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert [file.name for file in written.parent.iterdir()] == ["alfred.env"], "a draft was left behind"


def test_remove_takes_only_this_stacks_files() -> None:
    for stack in ("dev", "other"):
        for format in FORMATS:
            config_files.write(config_files.path(stack, "alfred", format), "")
    removed = config_files.remove("dev")
    assert [file.name for file in removed] == ["alfred.env", "alfred.json", "alfred.yaml"]
    assert config_files.path("other", "alfred", "env").exists()
    assert config_files.remove("never-was") == []
