"""The configuration of an application whose backends speak TLS: clients verify, and find what with."""

import re
from pathlib import Path

import pytest

from infra import settings
from infra.contract import StackContract
from infra.rendering import Renderer
from tests.unit import contracts
from tests.unit.conftest import ROOT

CA = "-----BEGIN CERTIFICATE-----\nauthority\n-----END CERTIFICATE-----\n"
APPLICATIONS = ("alfred", "assistant", "praval", "saiki", "trends")
CLUSTER_CA = "/etc/strata/ca.crt"
TRUST = {"STRATA_CA_FILE", "NODE_EXTRA_CA_CERTS", "PGSSLMODE", "PGSSLROOTCERT"}


def variables(app: str, *, tls: bool, view: str = "host") -> dict[str, str]:
    outputs = contracts.outputs()
    for part in ("applications", "credentials"):
        outputs[part] = {app: outputs[part].pop("alfred")}
    claim = settings.read_application(ROOT, app)
    slices = outputs["applications"][app]
    if claim.object_store:
        slices["object_store"]["buckets"] = {
            name: {"name": name, "public": False} for name in claim.object_store.buckets
        }
    if claim.qdrant:
        collection = slices["qdrant"]["collections"]["documents"]
        slices["qdrant"]["collections"] = dict.fromkeys(claim.qdrant.collections, collection)
    slices["volumes"] = {name: {"name": name} for name in claim.volumes}
    for kind in ("secrets", "tokens"):
        reference = next(iter(slices[kind].values()))
        slices[kind] = dict.fromkeys(getattr(claim, kind), reference)
        outputs["credentials"][app][kind] = dict.fromkeys(getattr(claim, kind), "x")
    if tls:
        for backend in outputs["backends"].values():
            backend["ca"] = CA
            backend["views"] |= {"cluster": dict(backend["views"]["network"])}
            for each in backend["views"].values():
                each["tls"] = True
    renderer = Renderer(StackContract.model_validate(outputs), stack="x", app=app, view=view)  # type: ignore[arg-type]
    return renderer.variables(claim.config, file="application.yaml")


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("app", APPLICATIONS)
def test_every_address_says_so_and_names_the_authority_where_a_client_takes_it(app: str) -> None:
    plain, encrypted = variables(app, tls=False), variables(app, tls=True, view="cluster")
    assert encrypted.keys() - plain.keys() == TRUST
    for name, value in encrypted.items():
        assert name == "POSTGREST_URL" or not re.match(r"(redis|http)://", value), f"{name} is not encrypted: {value}"
        if value.startswith("postgres"):
            assert value.endswith(f"?sslmode=verify-full&sslrootcert={CLUSTER_CA}")
    assert encrypted["PGSSLMODE"] == "verify-full"
    assert {encrypted[name] for name in TRUST - {"PGSSLMODE"}} == {CLUSTER_CA}


@pytest.mark.parametrize("app", APPLICATIONS)
def test_without_tls_nothing_is_said_of_it(app: str) -> None:
    for name, value in variables(app, tls=False).items():
        assert not re.search(r"rediss:|https:|ssl", value), f"{name}: {value}"


def test_on_this_host_the_authority_is_a_file_of_this_user() -> None:
    path = Path(variables("alfred", tls=True)["STRATA_CA_FILE"])
    assert path.read_text() == CA
    assert path.stat().st_mode & 0o777 == 0o600


def test_who_writes_a_variable_of_that_name_has_it() -> None:
    outputs = contracts.outputs()
    outputs["backends"]["postgres"]["ca"] = CA
    outputs["backends"]["postgres"]["views"]["host"]["tls"] = True
    renderer = Renderer(StackContract.model_validate(outputs), stack="x", app="alfred", view="host")
    assert renderer.variables({"PGSSLMODE": "verify-ca"}, file="x")["PGSSLMODE"] == "verify-ca"
