"""A checkpoint must survive the round trip unchanged, whichever engine wrote it."""

import hashlib
import json
import math
from dataclasses import replace
from typing import Any

import pytest

from engine.checkpoint import Writer, decode, magic, salt_of
from engine.errors import EngineError
from engine.integrity import StateError
from engine.secrets import CiphertextError, Vault
from engine.state import ENGINE_VERSION, CustomTimeouts, PendingOperation, ResourceState, Snapshot
from engine.values import SECRET, SIGNATURE, UNKNOWN, Secret
from tests.engine.states import PREFIX, PROVIDER, ROOT, STACK, VOLUME, provider, stack, volume


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(32), "v1:c2FsdA==:v1:bm9uY2U=:cHJvb2Y=")


def written(snapshot: Snapshot, vault: Vault) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Writer(STACK, vault).encode(snapshot))
    return document


def round_trip(entry: ResourceState, vault: Vault) -> ResourceState:
    return decode(written(Snapshot(resources=(entry,)), vault), vault).resources[0]


FULL = volume(
    outputs={"name": "data", "mountpoint": None, "tags": [], "opts": {}},
    dependencies=(ROOT,),
    property_dependencies={"name": (ROOT,), "driver": ()},
    delete=True,
    pending_replacement=True,
    external=True,
    protect=True,
    retain_on_delete=True,
    deleted_with=ROOT,
    replace_with=(ROOT,),
    additional_secret_outputs=("key",),
    aliases=(f"{PREFIX}t::old",),
    init_errors=("not ready",),
    custom_timeouts=CustomTimeouts(create=300, delete=1.5),
    import_id="i",
    ignore_changes=("labels",),
    replace_on_changes=("driver",),
    created="2026-01-02T03:04:05.123456789Z",
    modified="2026-01-02T03:04:06Z",
    source_position="project:///__main__.py#14",
    extra={"stackTrace": [{"sourcePosition": "x"}], "hideDiff": ["a"], "somethingNew": {"deep": [1, None]}},
)


def test_every_field_survives_with_its_official_name(vault: Vault) -> None:
    entry = written(Snapshot(resources=(FULL,)), vault)["checkpoint"]["latest"]["resources"][0]
    assert {key: entry[key] for key in ("retainOnDelete", "pendingReplacement", "deletedWith", "importID")} == {
        "retainOnDelete": True,
        "pendingReplacement": True,
        "deletedWith": ROOT,
        "importID": "i",
    }
    assert entry["customTimeouts"] == {"create": 300, "delete": 1.5}
    assert entry["propertyDependencies"] == {"name": [ROOT], "driver": []}
    assert entry["somethingNew"] == {"deep": [1, None]}, "a field of a newer CLI must not be lost"
    assert vars(round_trip(FULL, vault)) == vars(FULL)


def test_empty_fields_are_left_out_except_custom(vault: Vault) -> None:
    entry = ResourceState(urn=ROOT, type="pulumi:pulumi:Stack", custom=False)
    document = written(Snapshot(resources=(entry,)), vault)
    assert document["checkpoint"]["latest"]["resources"] == [
        {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False}
    ]


@pytest.mark.parametrize(
    "value",
    ["", 'ünï ✓ 🐘 \u2028 \x00 "quoted" </script>', 0, -1, 2**53, 1.5, 1e-7, 1e300, True, False, None, [], {}, [[1]]],
)
def test_values_survive_as_they_are(value: Any, vault: Vault) -> None:
    read = round_trip(volume(outputs={"value": value, "secret": Secret({"in": [value]})}), vault).outputs
    assert read == {"value": value, "secret": Secret({"in": [value]})}
    assert type(read["value"]) is type(value)


def test_whole_doubles_are_written_as_the_cli_does(vault: Vault) -> None:
    text = Writer(STACK, vault).encode(Snapshot(resources=(volume(outputs={"port": 5432.0, "ratio": 0.5}),)))
    assert b'"outputs":{"port":5432,"ratio":0.5}' in text


def test_numbers_that_json_has_no_word_for_survive(vault: Vault) -> None:
    read = round_trip(volume(outputs={"a": math.inf, "b": -math.inf, "c": math.nan}), vault).outputs
    assert (read["a"], read["b"]) == (math.inf, -math.inf)
    assert math.isnan(read["c"])


def test_unknowns_and_wire_dicts_survive(vault: Vault) -> None:
    reference = {SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": VOLUME, "id": "data", "packageVersion": ""}
    outputs = {"later": UNKNOWN, "reference": reference}
    read = round_trip(volume(outputs=outputs), vault).outputs
    assert read == outputs
    assert read["later"] is UNKNOWN


def test_half_a_surrogate_pair_does_not_stop_a_save(vault: Vault) -> None:
    assert round_trip(volume(outputs={"log": "broken \ud83d"}), vault).outputs["log"] == "broken ?"


def test_secrets_are_encrypted_as_the_json_of_their_value(vault: Vault) -> None:
    entry = volume(inputs={"password": Secret("s3cr3t"), "list": [Secret({"b": Secret(1), "a": "x"})]})
    text = Writer(STACK, vault).encode(Snapshot(resources=(entry,), pending=(PendingOperation(entry, "creating"),)))
    assert b"s3cr3t" not in text
    found = json.loads(text)["checkpoint"]["latest"]["resources"][0]["inputs"]
    assert set(found["password"]) == {SIGNATURE, "ciphertext"}
    assert found["password"][SIGNATURE] == SECRET
    assert vault.decrypt(found["password"]["ciphertext"]) == '"s3cr3t"'
    assert vault.decrypt(found["list"][0]["ciphertext"]) == '{"a":"x","b":1}'


def test_a_secret_that_the_cli_wrote_keeps_its_ciphertext(vault: Vault) -> None:
    """Go writes `<`, `>` and `&` as escapes, and generated passwords are full of them."""
    document = written(Snapshot(resources=(volume(inputs={"a": Secret("x")}),)), vault)
    ciphertext = vault.encrypt('{"key":"\\u003cä\\u0026\\u003e","z":1}')
    document["checkpoint"]["latest"]["resources"][0]["inputs"]["a"]["ciphertext"] = ciphertext
    read = decode(document, vault)
    assert read.resources[0].inputs == {"a": Secret({"key": "<ä&>", "z": 1})}
    again = written(Snapshot(resources=(replace(read.resources[0], protect=True),)), vault)
    assert again["checkpoint"]["latest"]["resources"][0]["inputs"]["a"]["ciphertext"] == ciphertext


def test_secrets_of_the_cli_are_read_in_all_their_forms(vault: Vault) -> None:
    document = written(Snapshot(resources=(volume(),)), vault)
    nested = json.dumps({"key": {SIGNATURE: SECRET, "ciphertext": '"inner"'}})
    document["checkpoint"]["latest"]["resources"][0]["outputs"] = {
        "exported": {SIGNATURE: SECRET, "plaintext": '{"a":1}'},
        "nested": {SIGNATURE: SECRET, "ciphertext": vault.encrypt(nested)},
    }
    read = decode(document, vault).resources[0].outputs
    assert read == {"exported": Secret({"a": 1}), "nested": Secret({"key": Secret("inner")})}


def test_a_second_save_changes_no_ciphertext_that_did_not_change(vault: Vault) -> None:
    first = written(Snapshot(resources=(volume(inputs={"a": Secret("x"), "b": Secret("y")}),)), vault)
    reopened = Vault(bytes(32), vault.salt)
    entry = decode(first, reopened).resources[0]
    second = written(Snapshot(resources=(replace(entry, inputs={"a": Secret("x"), "b": Secret("z")}),)), reopened)
    old, new = (document["checkpoint"]["latest"]["resources"][0]["inputs"] for document in (first, second))
    assert old["a"] == new["a"]
    assert old["b"] != new["b"]


def test_a_save_encrypts_only_what_is_new(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    encrypted: list[str] = []
    encrypt = Vault.encrypt

    def record(vault: Vault, plaintext: str, *, slot: str = "") -> str:
        encrypted.append(slot)
        return encrypt(vault, plaintext, slot=slot)

    monkeypatch.setattr(Vault, "encrypt", record)
    entries = tuple(volume(urn=f"{VOLUME}-{index}", inputs={"key": Secret(index)}) for index in range(200))
    writer = Writer(STACK, vault)
    writer.encode(Snapshot(resources=entries))
    encrypted.clear()
    new = volume(urn=f"{VOLUME}-new", inputs={"key": Secret("new")})
    writer.encode(Snapshot(resources=(*entries, new), pending=(PendingOperation(entries[0], "updating"),)))
    assert encrypted == [f"{VOLUME}-new/inputs/key"]


def test_the_manifest_proves_its_version(vault: Vault) -> None:
    document = written(Snapshot(resources=(stack(),)), vault)
    assert document["version"] == 3
    assert document["checkpoint"]["stack"] == STACK
    manifest = document["checkpoint"]["latest"]["manifest"]
    assert manifest["version"] == ENGINE_VERSION
    assert manifest["magic"] == hashlib.sha256(ENGINE_VERSION.encode()).hexdigest()
    assert magic("") == ""
    manifest["version"] = "v9"
    with pytest.raises(StateError, match="magic number"):
        decode(document, vault)


def test_the_last_writer_is_known(vault: Vault) -> None:
    assert decode(written(Snapshot(), vault), vault).version == ENGINE_VERSION
    assert ENGINE_VERSION.endswith("+embedded")


def test_parts_that_the_engine_does_not_use_are_kept(vault: Vault) -> None:
    document = written(Snapshot(), vault)
    document["checkpoint"]["latest"].update(metadata={"integrity_error": {"version": "v1"}}, extensions={"a": {"b": 1}})
    latest = written(decode(document, vault), vault)["checkpoint"]["latest"]
    assert (latest["metadata"], latest["extensions"]) == ({"integrity_error": {"version": "v1"}}, {"a": {"b": 1}})


@pytest.mark.parametrize(
    "latest", [None, {}, {"manifest": {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}}]
)
def test_an_empty_stack_of_the_cli_is_read(latest: Any, vault: Vault) -> None:
    document = {"version": 0 if latest is None else 3, "checkpoint": {"stack": STACK, "latest": latest}}
    assert decode(document, None).resources == ()
    assert salt_of(document) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"urn": None}, r"resources\[0\]: 'urn' is missing"),
        ({"type": None}, rf"resources\[0\] \({VOLUME}\): 'type' is missing"),
        ({"custom": "yes"}, r"custom: expected bool, found str"),
        ({"inputs": []}, r"inputs: expected dict, found list"),
        ({"dependencies": [1]}, r"expected str, found int"),
        ({"outputs": {"a": {SIGNATURE: SECRET}}}, r"/outputs/a: the secret has no readable value"),
        ({"outputs": {"a": {SIGNATURE: SECRET, "plaintext": "{"}}}, r"/outputs/a: the secret has no readable value"),
        ({"customTimeouts": 5}, r"unexpected form"),
    ],
)
def test_a_malformed_entry_is_named(change: dict[str, Any], message: str, vault: Vault) -> None:
    document = written(Snapshot(resources=(volume(),)), vault)
    document["checkpoint"]["latest"]["resources"][0].update(change)
    with pytest.raises(StateError, match=message):
        decode(document, vault)


def test_a_secret_of_another_salt_is_named_with_its_place(vault: Vault) -> None:
    document = written(Snapshot(resources=(volume(inputs={"a": {"b": [Secret(1)]}}),)), vault)
    with pytest.raises(CiphertextError, match=f"{VOLUME}/inputs/a/b/0: cannot be decrypted"):
        decode(document, Vault(b"x" * 32, vault.salt))


EMPTY: dict[str, Any] = {"latest": {"manifest": {}}}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"version": 3},
        {"version": 3, "checkpoint": {"latest": []}},
        {"version": 2, "checkpoint": EMPTY},
        {"version": 5, "checkpoint": EMPTY},
        {"version": 4, "features": ["views"], "checkpoint": EMPTY},
    ],
)
def test_what_is_no_checkpoint_of_this_format_is_refused(document: Any) -> None:
    with pytest.raises(StateError):
        decode(document, None)


def test_another_secrets_provider_is_refused(vault: Vault) -> None:
    document = written(Snapshot(), vault)
    document["checkpoint"]["latest"]["secrets_providers"] = {"type": "cloud", "state": {"url": "awskms://x"}}
    with pytest.raises(EngineError, match=r"'cloud'.*only 'passphrase'"):
        salt_of(document)


def test_replace_with_asks_for_the_version_that_the_cli_asks_for(vault: Vault) -> None:
    document = written(Snapshot(resources=(stack(), provider(), volume(replace_with=(ROOT,)))), vault)
    assert (document["version"], document["features"]) == (4, ["replaceWith"])
    assert decode(document, vault).resources[2].replace_with == (ROOT,)


def test_pending_operations_survive(vault: Vault) -> None:
    pending = decode(written(Snapshot(pending=(PendingOperation(volume(), "creating"),)), vault), vault).pending
    assert [(operation.type, operation.resource.urn) for operation in pending] == [("creating", VOLUME)]


def test_names_packages_and_references() -> None:
    named = volume(urn=f"{VOLUME}::with::colons")
    assert (named.name, named.package, provider().package) == ("data::with::colons", "docker", "docker")
    assert provider().reference == f"{PROVIDER}::p-1"
    assert volume(dependencies=("urn:d",), property_dependencies={"a": ("urn:p",)}).all_dependencies() == {
        ROOT,
        PROVIDER,
        "urn:d",
        "urn:p",
    }


def test_outputs_ignore_what_is_to_be_deleted() -> None:
    snapshot = Snapshot(resources=(replace(stack(), delete=True, outputs={}), stack()))
    assert snapshot.stack_outputs == {"port": 5432}
