"""What a user reads after a mistake in Pulumi.<stack>.yaml or application.yaml, and what the committed files say."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.quantities import GIB, MIB, format_size, parse_size
from components.specs import Stage
from infra import settings
from infra.mistakes import SettingsError

ROOT = Path(__file__).parents[2]


def raw(stack: str = "dev") -> dict[str, Any]:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("strata:"): value for key, value in config.items()}


def changed(path: str, value: object) -> dict[str, Any]:
    values = copy.deepcopy(raw())
    *parents, last = path.split(".")
    target = values
    for parent in parents:
        target = target[parent]
    target[last] = value
    return values


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_committed_stacks_are_valid(stack: str) -> None:
    parsed = settings.parse(raw(stack), file=f"Pulumi.{stack}.yaml")
    assert parsed.applications == ("alfred", "assistant", "praval", "saiki", "trends")


def test_committed_stacks_carry_no_secret() -> None:
    for path in ROOT.glob("Pulumi.*.yaml"):
        text = path.read_text()
        assert "secure:" not in text, f"{path.name} has an encrypted value"
        assert "encryptionsalt" not in text, f"{path.name} has a salt: it belongs to one user's passphrase"


def test_dev_has_the_documented_names_and_others_a_prefix() -> None:
    assert settings.parse(raw(), file="f").platform.model_dump()["prefix"] == ""
    without = changed("platform", {"kind": "docker"})
    assert settings.parse(without, file="f").platform.model_dump()["prefix"] is None


MISTAKES = [
    ("postgres.memory", "12x", ["Pulumi.dev.yaml", "strata:postgres.memory", '"12x"', "memory: 1Gi"]),
    ("postgres.memory", 1024, ["strata:postgres.memory", "1024", "Ki, Mi, Gi or Ti"]),
    ("postgres.memory", "64Mi", ["strata:postgres.memory", '"64Mi"', "memory: 1Gi"]),
    ("postgres.memry", "1Gi", ["unknown key `strata:postgres.memry`", "Did you mean `memory`?"]),
    ("postgrez", {}, ["unknown key `strata:postgrez`", "Did you mean `postgres`?"]),
    ("platform.kind", "dokcer", ["strata:platform.kind", '"dokcer"', "'docker', 'kubernetes'"]),
    ("platform.prefix", "My_", ["strata:platform.prefix", '"My_"', "ends with a dash", "prefix: dev-alice-"]),
    ("platform.prefix", "a" * 60 + "-", ["strata:platform.prefix", "at most"]),
    ("platform.hosst", "x", ["unknown key `strata:platform.hosst`", "Did you mean `host`?"]),
    ("redis.maxmemory_policy", "drop", ["strata:redis.maxmemory_policy", '"drop"', "maxmemory_policy: noeviction"]),
    ("stage", "prod", ["strata:stage", '"prod"', "strata:stage: development"]),
    ("postgres.port", 80, ["strata:postgres.port", "80", "1024", "port: 5432"]),
    ("postgres.version", "18", ["strata:postgres.version", '"18"', "version: '17'"]),
    ("applications", ["alfred", "alfred"], ["alfred is listed twice"]),
    ("applications", ["Not-A-Name"], ["strata:applications.0", '"Not-A-Name"', "- alfred"]),
    ("qdrant.grpc_port", 6333, ["port and grpc_port are both 6333", "grpc_port: 6334"]),
    ("qdrant.memory", "128Mi", ["strata:qdrant.memory", '"128Mi"', "memory: 1Gi"]),
    ("qdrant.version", "2", ["strata:qdrant.version", '"2"', "version: '1'"]),
    ("qdrant.rest_port", 6333, ["unknown key `strata:qdrant.rest_port`"]),
    ("postgres", None, ["strata:postgres", "memory: 1Gi"]),
    ("stage", "production", ["production stage takes images from a registry"]),
]


@pytest.mark.parametrize(("path", "value", "says"), MISTAKES, ids=[f"{m[0]}={str(m[1])[:12]}" for m in MISTAKES])
def test_a_mistake_is_reported_with_file_key_value_and_the_line_to_write(
    path: str, value: object, says: list[str]
) -> None:
    with pytest.raises(SettingsError) as error:
        settings.parse(changed(path, value), file="Pulumi.dev.yaml")
    for part in says:
        assert part in str(error.value)


def test_a_missing_backend_shows_the_block_to_write() -> None:
    values = raw()
    del values["redis"]
    with pytest.raises(SettingsError, match=r"`strata:redis` is missing") as error:
        settings.parse(values, file="Pulumi.dev.yaml")
    assert "memory: 256Mi" in str(error.value)


def test_every_mistake_is_reported_at_once() -> None:
    values = changed("postgres.memory", "x")
    values["stage"] = "x"
    with pytest.raises(SettingsError) as error:
        settings.parse(values, file="f")
    assert "strata:postgres.memory" in str(error.value)
    assert "strata:stage" in str(error.value)


def make_application(root: Path, name: str, text: str) -> None:
    folder = root / "applications" / name
    folder.mkdir(parents=True)
    (folder / "application.yaml").write_text(text)


def read(root: Path, *names: str) -> str:
    wanted = settings.parse(changed("applications", list(names)), file="Pulumi.dev.yaml")
    with pytest.raises(SettingsError) as error:
        settings.read_applications(wanted, root)
    return str(error.value)


def test_an_unknown_application_names_the_file_to_make(tmp_path: Path) -> None:
    make_application(tmp_path, "billing", "name: billing\ndescription: x\n")
    message = read(tmp_path, "biling")
    assert "applications/biling/application.yaml does not exist" in message
    assert "billing" in message


def _collection(claim: str) -> str:
    return f"name: billing\ndescription: x\nqdrant: {{collections: {{docs: {claim}}}}}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "applications/billing/application.yaml is not YAML"),
        ("- a list", "must be a mapping"),
        ("name: other\ndescription: x", "name is `other` and its folder `billing`"),
        ("name: billing\ndescription: x\npostgress: {}", "Did you mean `postgres`?"),
        ("name: billing\ndescription: x\nredis: {prefix: 'Billing'}", "`redis.prefix`"),
        (
            "name: billing\ndescription: x\npostgres: {login: {name: web, member_of: [anon]}}",
            "login is a member of anon: add it to postgres.roles",
        ),
        ("name: billing\ndescription: x\nconfig: {'A-B': x}", "config"),
        ("name: billing\ndescription: x\nvolumes: {data: {size: 20}}", "`volumes.data.size` is 20"),
        ("name: billing\ndescription: x\nvolumes: {data: {sise: 20Gi}}", "Did you mean `size`?"),
        ("name: billing\ndescription: x\nvolumes: {Data_1: {}}", '"Data_1"'),
        ("name: billing\ndescription: x\nsecrets: {key: {keep: true, rotation: 2}}", "cannot be rotated"),
        ("name: billing\ndescription: x\nsecrets: {key: {length: 8}}", "`secrets.key.length` is 8"),
        (
            "name: billing\ndescription: x\ntokens: {anon: {signed_with: key, claims: {role: anon}}}",
            "tokens.anon is signed with key, which is no secret. Write `key: {}` under `secrets:`",
        ),
        (
            "name: billing\ndescription: x\nsecrets: {key: {length: 31}}\n"
            "tokens: {anon: {signed_with: key, claims: {role: anon}}}",
            "too short for HS256. Write `key: {length: 32}`",
        ),
        (
            "name: billing\ndescription: x\nsecrets: {key: {}}\n"
            "tokens: {anon: {signed_with: key, claims: {role: anon, exp: 1.5}}}",
            "tokens.anon.claims.exp",
        ),
        (_collection("{}"), "write `vector: {size: 1536, distance: Cosine}`, or `vectors:` with a name for each"),
        (_collection("{vector: {size: 4}, vectors: {a: {size: 4}}}"), "write `vector: {size: 1536, distance: Cosine}`"),
        (_collection("{vector: {size: 0}}"), "size: 1536"),
        (_collection("{vector: {size: 4, distance: cosine}}"), "distance: Cosine"),
        (_collection("{vector: {sise: 4}}"), "unknown key `qdrant.collections.docs.vector.sise`. Did you mean `size`?"),
        (_collection("{vectors: {text: {sise: 4}}}"), "Did you mean `size`?"),
        (_collection("{vectors: {text: {}}}"), "`qdrant.collections.docs.vectors.text.size` is missing. Write:"),
        (_collection("{vector: {size: 4}, indexes: {kind: string}}"), "'keyword'"),
        (_collection("{vector: {size: 4}, indexes: {'a b': keyword}}"), "qdrant.collections.docs.indexes"),
        (_collection("{vector: {size: 4}, index: {kind: keyword}}"), "Did you mean `indexes`?"),
        ("name: billing\ndescription: x\nqdrant: {collections: {}}", "qdrant.collections"),
    ],
)
def test_a_malformed_application_names_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    make_application(tmp_path, "billing", text)
    message = read(tmp_path, "billing")
    assert "applications/billing/application.yaml" in message
    assert says in message


def test_two_applications_cannot_share_a_role_or_a_prefix(tmp_path: Path) -> None:
    make_application(tmp_path, "one", "name: one\ndescription: x\npostgres: {roles: [shared]}\nredis: {prefix: 'a:'}")
    make_application(tmp_path, "two", "name: two\ndescription: x\npostgres: {roles: [shared]}\n")
    make_application(tmp_path, "six", "name: six\ndescription: x\nredis: {prefix: 'a:b:'}")
    assert "the role `shared` is made twice" in read(tmp_path, "one", "two")
    assert "`a:b:` lies within `a:` of `one`" in read(tmp_path, "one", "six")


def test_two_applications_cannot_share_a_bucket(tmp_path: Path) -> None:
    make_application(tmp_path, "a", "name: a\ndescription: x\nobject_store: {buckets: {b-files: {}}}")
    make_application(tmp_path, "a_b", "name: a_b\ndescription: x\nobject_store: {buckets: {files: {}}}")
    assert "the bucket `files` would be `a-b-files`, as one of `a` is" in read(tmp_path, "a", "a_b")


def test_two_applications_cannot_share_a_volume_and_none_has_a_backend_s(tmp_path: Path) -> None:
    make_application(tmp_path, "one", "name: one\ndescription: x\nvolumes: {models: {}}")
    make_application(tmp_path, "my_two", "name: my_two\ndescription: x\nvolumes: {models: {}}")
    assert read(tmp_path, "one", "my_two") == (
        "applications/my_two/application.yaml: the volume `models` is that of one. Write for instance:\n"
        "  volumes:\n    my-two-models: {}"
    )
    names = ("db-postgres-data", "redis-data", "redis-one-data", "vector-db-data", "object-store-data", "my-secrets")
    for number, name in enumerate(names):
        app = f"app{number}"
        make_application(tmp_path, app, f"name: {app}\ndescription: x\nvolumes: {{{name}: {{}}}}")
        assert f"applications/{app}/application.yaml: the volume `{name}` is that of a backend" in read(tmp_path, app)


def test_two_applications_cannot_share_a_collection(tmp_path: Path) -> None:
    claim = "qdrant: {collections: {docs: {vector: {size: 4}}}}"
    for name in ("a", "b"):
        make_application(tmp_path, name, f"name: {name}\ndescription: x\n{claim}")
    message = read(tmp_path, "a", "b")
    assert "applications/b/application.yaml: the collection `docs` is `a`'s, too" in message
    assert "`b_docs`" in message


@pytest.mark.parametrize("field", ["kind", "a.b", "a.b[].c", "tags[]", "snake_case-9"])
def test_a_field_to_index_may_lie_deep_in_a_payload(tmp_path: Path, field: str) -> None:
    make_application(tmp_path, "billing", _collection(f"{{vector: {{size: 4}}, indexes: {{'{field}': keyword}}}}"))
    wanted = settings.parse(changed("applications", ["billing"]), file="Pulumi.dev.yaml")
    claim = settings.read_applications(wanted, tmp_path)[0].qdrant
    assert claim
    assert claim.collections["docs"].indexes == {field: "keyword"}


def test_stages_are_data_not_names() -> None:
    assert settings.parse(changed("stage", "test"), file="f").stage is Stage.TEST


@pytest.mark.parametrize(("text", "size"), [("256Mi", 256 * MIB), ("20Gi", 20 * GIB), ("1Ti", 1024 * GIB)])
def test_sizes_survive_a_round_trip(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert format_size(size) == text


@pytest.mark.parametrize("text", ["", "1", "1G", "-1Gi", "1.5Gi", "0Gi", 5, None])
def test_a_size_without_a_binary_unit_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)
