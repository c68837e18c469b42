"""The contract's shape, its schema, and how a reader explains what is no contract."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.contract import (
    BACKENDS,
    CREDENTIALS,
    ApplicationCredentials,
    ApplicationSlices,
    Backends,
    StackContract,
    schema_text,
)
from infra.reader import ContractError, load, parse
from infra.workspace import Workspace
from tests.unit import contracts

ROOT = Path(__file__).parents[2]
SECRET = "correct horse battery staple"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path, project="strata", stack="dev", backend_url=f"file://{tmp_path}", environ={})


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from leaves(child, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from leaves(child, (*path, str(index)))
    else:
        yield path, value


def test_the_published_schema_is_current() -> None:
    published = (ROOT / "docs" / "contract.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: strata contract --schema > docs/contract.schema.json"


def test_a_contract_survives_the_round_trip_without_losing_a_key() -> None:
    given = contracts.outputs()
    dumped = contracts.contract().model_dump(mode="json", exclude_none=True, exclude={CREDENTIALS})
    assert dumped == {key: value for key, value in given.items() if key != CREDENTIALS}


def test_only_the_credentials_output_holds_a_secret() -> None:
    public = contracts.contract(SECRET).model_dump(mode="json", exclude={CREDENTIALS})
    found = [".".join(path) for path, leaf in leaves(public) if SECRET in str(leaf)]
    assert not found, f"a password in public outputs: {found}"
    assert not [path for path, _ in leaves(public) if "password" in path[-1]]


def test_every_secret_ref_leads_to_a_credential() -> None:
    given = contracts.outputs(SECRET)
    refs = [path for path, _ in leaves(given["applications"]) if "secret_ref" in path]
    assert refs
    for path in refs:
        ref: Any = given["applications"]
        for key in path[: path.index("secret_ref") + 1]:
            ref = ref[key]
        target = given[ref["name"]]
        for key in ref["keys"]:
            target = target[key]
        assert SECRET in (target if path[1] in ("secrets", "tokens") else target["password"])


def test_every_backend_has_a_place_for_itself_its_slices_and_their_credentials() -> None:
    assert tuple(Backends.model_fields) == BACKENDS
    assert set(BACKENDS) <= ApplicationSlices.model_fields.keys() & ApplicationCredentials.model_fields.keys()


def test_printing_a_contract_shows_no_password() -> None:
    contract = contracts.contract(SECRET)
    assert SECRET not in f"{contract!r} {contract} {contract.model_dump_json()}"


def test_a_reader_ignores_keys_that_a_newer_exporter_added(workspace: Workspace) -> None:
    newer = contracts.outputs() | {"regions": ["eu"]}
    newer["backends"]["postgres"]["replicas"] = 3
    assert parse(newer, workspace) == contracts.contract()


def test_a_slice_without_its_backend_is_refused(workspace: Workspace) -> None:
    broken = contracts.outputs()
    del broken["backends"]["redis"]
    with pytest.raises(ContractError, match=r"applications\.alfred\.redis has no backends\.redis"):
        parse(broken, workspace)


def test_a_mistake_is_named_by_its_path_and_shows_no_value(workspace: Workspace) -> None:
    broken = contracts.outputs(SECRET)
    broken["backends"]["postgres"]["views"]["host"]["port"] = "none"
    broken["credentials"]["alfred"]["redis"] = {"username": "alfred", "password": [SECRET]}
    with pytest.raises(ContractError) as caught:
        parse(broken, workspace)
    text = str(caught.value)
    assert "backends.postgres.views.host.port" in text
    assert "credentials.alfred.redis.password" in text
    assert "strata up --stack dev" in text
    assert SECRET not in text


def test_another_contract_version_says_so(workspace: Workspace) -> None:
    with pytest.raises(ContractError, match="contract version 2"):
        parse({"contract_version": 2}, workspace)


def test_a_stack_that_does_not_exist_names_the_command_that_makes_it(tmp_path: Path) -> None:
    environ = {"PULUMI_BACKEND_URL": f"file://{tmp_path}"}
    with pytest.raises(ContractError, match=r"no stack `ghost` in file://.*strata up --stack ghost"):
        load("ghost", start=ROOT, environ=environ)


def test_shared_state_without_the_cli_says_what_is_needed(tmp_path: Path) -> None:
    environ = {"PULUMI_BACKEND_URL": "s3://states", "PATH": str(tmp_path)}
    with pytest.raises(ContractError, match="`pulumi` command"):
        load("dev", start=ROOT, environ=environ)


def test_the_schema_accepts_what_the_models_accept() -> None:
    schema = json.loads(schema_text())
    assert schema["properties"].keys() == StackContract.model_fields.keys()
    assert set(schema["required"]) == {
        name for name, field in StackContract.model_fields.items() if field.is_required()
    }
