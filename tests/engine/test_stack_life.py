"""The life of a stack with dynamic, random and other resources, from the first preview to its end."""

import stat

import pytest

from engine import api
from engine.secrets import Vault
from engine.values import Secret
from tests.engine.stack import PASSPHRASE, Stack

PROVIDERS = '''
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider, UpdateResult
import pulumi


class Notes(ResourceProvider):
    """A file per resource."""

    def create(self, props):
        if props["text"] == "user error":
            raise pulumi.RunError("there is no paper")
        if props["text"] == "bug":
            raise KeyError("ink")
        Path(props["path"]).write_text(props["text"])
        return CreateResult(props["path"], {"path": props["path"], "text": props["text"], "length": len(props["text"])})

    def diff(self, id, olds, news):
        changed = [key for key in ("path", "text") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(changed), replaces=[key for key in changed if key == "path"])

    def update(self, id, olds, news):
        Path(id).write_text(news["text"])
        return UpdateResult({"path": id, "text": news["text"], "length": len(news["text"])})

    def delete(self, id, props):
        Path(id).unlink(missing_ok=True)
'''


FULL = """
import pulumi_random as random
from pulumi.dynamic import Resource
from notes import Notes

settings = pulumi.Config()


class Note(Resource, module="index", name="Note"):
    length: Output[int]

    def __init__(self, name, path, text, opts=None):
        super().__init__(Notes(), name, {"path": path, "text": text, "length": None}, opts)


class Desk(ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("test:index:Desk", name, None, opts)
        self.password = random.RandomPassword("password", length=24, special=False, opts=ResourceOptions(parent=self))
        self.note = Note("note", settings.require("path"), self.password.result, ResourceOptions(parent=self))
        self.register_outputs({"length": self.note.length})


desk = Desk("desk")
salt = random.RandomId("salt", byte_length=8, prefix="s-")
thing = Thing("thing", value=salt.hex, count=settings.require_int("count"), secret=settings.require_secret("word"))
export("password", desk.password.result)
export("length", desk.note.length)
export("salt", salt.hex)
export("tags", {"list": [1, 2.5, True, "x"], "nothing": {}})
print("hello from the program")
pulumi.log.warn("mind the gap")
"""


@pytest.fixture
def full(stack: Stack) -> Stack:
    (stack.folder / "notes.py").write_text(PROVIDERS)
    vault = Vault.create(PASSPHRASE)
    stack.write_config(
        f"""
        config:
          p:path: {stack.folder.parent / "note.txt"}
          p:count: 3
          p:word:
            secure: {vault.encrypt("xyzzy-plugh")}
        encryptionsalt: {vault.salt}
        """
    )
    stack.write(FULL)
    return stack


def test_the_life_of_a_stack(full: Stack) -> None:
    note = full.folder.parent / "note.txt"
    planned = full.preview()
    assert planned.result.changes == {"create": 6}
    assert not full.files.exists()
    assert full.cloud.calls() == []
    assert "+ salt: [unknown]" in planned.text

    made = full.up()
    assert made.result.exit_code == 0, made.text
    assert made.result.changes == {"create": 6}
    assert made.text.count("hello from the program") == 1
    assert made.text.count("mind the gap") == 1
    password = note.read_text()
    shown = full.outputs()
    assert shown["password"] == "[secret]"
    assert shown["length"] == len(password) == 24
    assert shown["salt"].startswith("s-")
    assert shown["tags"] == {"list": [1, 2.5, True, "x"], "nothing": {}}
    assert full.outputs(show_secrets=True)["password"] == password
    assert full.entry("thing").outputs["secret"] == Secret("xyzzy-plugh")

    again = full.up(expect_no_changes=True)
    assert again.result.exit_code == 0
    assert again.result.changes == {"same": 6}
    assert again.text.count("hello from the program") == 1
    assert full.cloud.calls() == []
    assert full.outputs(show_secrets=True)["password"] == password

    config = full.folder / "Pulumi.dev.yaml"
    config.write_text(config.read_text().replace("count: 3", "count: 4"))
    changed = full.up(expect_no_changes=True)
    assert changed.result.exit_code == api.ExitCode.NO_CHANGES_EXPECTED
    assert changed.result.changes == {"same": 5, "update": 1}
    assert "~  test:index:Thing thing updated" in changed.text
    assert "[diff: ~count]" in changed.text

    gone = full.destroy()
    assert gone.result.changes == {"delete": 6}
    assert not note.exists()
    assert full.cloud.things() == {}
    assert full.snapshot.resources == ()
    for secret in (password, "xyzzy-plugh"):
        assert secret not in full.everything_on_disk()
        assert all(secret not in run.text for run in (planned, made, again, changed, gone))


def test_state_is_shaped_as_the_official_engine_shapes_it(full: Stack) -> None:
    full.up()
    entries = {entry.name: entry for entry in full.snapshot.resources}
    root, desk, note, salt = (entries[name] for name in ("p-dev", "desk", "note", "salt"))
    assert root.urn == "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
    assert desk.parent == root.urn
    assert note.urn == "urn:pulumi:dev::p::test:index:Desk$pulumi-python:dynamic/index:Note::note"
    random = entries["default_4_21_4"]
    assert random.urn == "urn:pulumi:dev::p::pulumi:providers:random::default_4_21_4"
    assert (random.inputs, random.outputs) == ({"__internal": {}, "version": "4.21.4"}, {"version": "4.21.4"})
    assert random.parent == ""
    assert salt.provider == f"{random.urn}::{random.id}"
    assert note.provider.startswith("urn:pulumi:dev::p::pulumi:providers:pulumi-python::default::")
    assert note.property_dependencies["text"] == (entries["password"].urn,)
    assert note.property_dependencies["path"] == ()
    assert isinstance(note.inputs["__provider"], Secret)
    assert note.outputs["length"] == 24
    assert salt.source_position.startswith("project:///__main__.py#")
    assert set(entries["password"].outputs) == {
        *("id", "length", "lower", "upper", "number", "numeric", "special", "result", "bcryptHash", "__meta"),
        *("minLower", "minUpper", "minNumeric", "minSpecial"),
    }
    assert set(salt.outputs) == {"id", "b64Std", "b64Url", "dec", "hex", "byteLength", "prefix"}
    assert stat.S_IMODE(full.files.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("text", "message"), [("user error", "error: there is no paper"), ("bug", "KeyError: 'ink'")])
def test_an_error_of_a_dynamic_provider_names_its_resource(full: Stack, text: str, message: str) -> None:
    full.write(FULL.replace("self.password.result, ResourceOptions", f"{text!r}, ResourceOptions"))
    failed = full.up()
    assert failed.result.exit_code == 1
    assert "pulumi-python:dynamic/index:Note (note):" in failed.text
    assert message in failed.text
    assert ("Traceback" in failed.text) == (text == "bug")
    assert not any(entry.name == "note" for entry in full.snapshot.resources)
    assert full.snapshot.pending == ()


PRELOADING = """
    def preload(self):
        Path("preloaded").touch()

    def diff(self, id, olds, news):
        for _ in range(1000):
            if Path("preloaded").exists():
                return DiffResult(changes=False)
            time.sleep(0.01)
        raise pulumi.RunError("was not told to preload")
"""


def test_a_provider_that_the_state_has_is_told_to_preload(full: Stack) -> None:
    full.up()
    (full.folder / "notes.py").write_text("import time\n" + PROVIDERS + PRELOADING)
    planned = full.preview()
    assert planned.result.changes == {"same": 6}, planned.text


READING = """
from notes import Reading
from pulumi.dynamic import Resource

class Note(Resource, module="index", name="Note"):
    text: Output[str]

    def __init__(self, name, path):
        super().__init__(Reading(), name, {"text": None}, ResourceOptions(id=path))

export("text", Note("n", pulumi.Config().require("path")).text)
"""


def test_a_dynamic_resource_of_somebody_else_can_be_read(full: Stack) -> None:
    note = full.folder.parent / "note.txt"
    note.write_text("as found")
    reading = """
class Reading(Notes):
    def read(self, id, props):
        return ReadResult(id, {"text": Path(id).read_text()})
"""
    notes = PROVIDERS.replace("import CreateResult,", "import CreateResult, ReadResult,")
    (full.folder / "notes.py").write_text(notes + reading)
    done = full.up(READING)
    assert done.result.exit_code == 0, done.text
    assert full.outputs() == {"text": "as found"}
    assert full.destroy().result.exit_code == 0
    assert note.exists()
