"""What two applications cannot both have, and a Redis of one's own: refused before anything is made."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.claims import Application
from components.specs import RedisServer
from infra import conflicts, settings
from infra.mistakes import SettingsError
from tests.unit.test_settings import raw

SERVER = {"memory": "64Mi", "cpu": 0.5, "storage": "1Gi", "port": 6390}


def application(name: str, **claims: Any) -> Application:
    return Application.model_validate({"name": name, "description": "x", **claims})


def refusal(*applications: Application, **changed: Any) -> str:
    """What is said of these in a stack like `dev`; nothing if they go together."""
    values = copy.deepcopy(raw())
    values["redis"].update(changed)
    wanted = settings.parse(values, file="Pulumi.dev.yaml")
    try:
        conflicts.refuse(wanted, applications)
    except SettingsError as error:
        return str(error)
    return ""


def dedicated(name: str, **server: Any) -> Application:
    return application(name, redis={"mode": "dedicated", "server": {**SERVER, **server}})


def test_each_application_may_have_a_redis_of_its_own() -> None:
    assert (
        refusal(dedicated("one"), dedicated("two", port=6391), application("three", redis={"prefix": "three:"})) == ""
    )


def test_two_servers_cannot_have_one_port_of_this_host() -> None:
    said = refusal(dedicated("one"), dedicated("two"))
    assert "strata:redis.dedicated.two.port and strata:redis.dedicated.one.port are both 6390" in said
    assert "strata:redis.dedicated.two.port: " in said
    assert "strata:redis.port are both 6379" in refusal(dedicated("one", port=6379))
    assert refusal(dedicated("one"), dedicated("two"), dedicated={"two": {"port": 6391}}) == ""


def test_a_stack_has_otherwise_only_what_is_there() -> None:
    said = refusal(application("one", redis={"prefix": "one:"}), dedicated={"one": {"memory": "1Gi"}})
    assert "strata:redis.dedicated.one: `one` has no Redis of its own" in said
    assert refusal(dedicated("one"), dedicated={"one": {"memory": "1Gi"}, "not_in_this_stack": {"cpu": 1}}) == ""


def test_what_a_stack_says_goes_before_the_claim() -> None:
    wanted = settings.parse(raw() | {"redis": {**raw()["redis"], "dedicated": {"one": {"memory": "1Gi"}}}}, file="f")
    made = wanted.redis.of("one", RedisServer.model_validate(SERVER))
    assert (made.memory, made.cpu, made.port, made.version) == (1 << 30, 0.5, 6390, wanted.redis.version)
    assert wanted.redis.of("two", RedisServer.model_validate(SERVER)).memory == 64 << 20


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ({}, "a shared Redis needs a prefix"),
        ({"mode": "shared"}, "Write `prefix: 'myapp:'`"),
        ({"mode": "shared", "prefix": "a:", "server": SERVER}, "has no server of its own"),
        ({"mode": "dedicated"}, "Write `server: {memory: 128Mi"),
        ({"mode": "dedicated", "prefix": "a:", "server": SERVER}, "has no prefix"),
        ({"mode": "dedicated", "server": {**SERVER, "memory": "1Mi"}}, "at least 64Mi"),
        ({"mode": "own"}, "'shared' or 'dedicated'"),
    ],
)
def test_a_claim_of_redis_is_one_of_two(tmp_path: Path, claim: dict[str, Any], says: str) -> None:
    folder = tmp_path / "applications" / "one"
    folder.mkdir(parents=True)
    text = yaml.safe_dump({"name": "one", "description": "x", "redis": claim})
    (folder / "application.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"applications/one/application\.yaml") as caught:
        settings.read_application(tmp_path, "one")
    assert says in str(caught.value)
