"""Whole runs: a Pulumi program through the official SDK, the engine's launcher, monitor, providers and state."""

import json
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.events import Mask, Recording
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


def test_independent_branches_go_on_at_once(stack: Stack, tmp_path: Path) -> None:
    """Each of three things waits until all of them have begun: one after the other would never end."""
    gates = [tmp_path / f"{name}.gate" for name in "abc"]
    stack.write(
        f"""
        root = Thing("root")
        for name, gate in zip("abc", {[str(gate) for gate in gates]!r}):
            deep = Thing("deep-" + name, value=root.path)
            Thing(name, value=deep.path, at="create", gate=gate)
        """
    )
    opener = threading.Thread(target=_open_when_all_are_reached, args=(gates,))
    opener.start()
    done = stack.up()
    opener.join()
    assert done.result.exit_code == 0, done.text


def _open_when_all_are_reached(gates: list[Path]) -> None:
    waiting = threading.Event()
    for _ in range(2000):
        if all(gate.with_suffix(".reached").exists() for gate in gates):
            for gate in gates:
                gate.touch()
            return
        waiting.wait(0.01)


@pytest.mark.parametrize(
    ("program", "texts"),
    [
        ('raise ValueError("broken")', ["Program failed with an unhandled exception", "ValueError: broken"]),
        ('raise pulumi.RunError("please set a colour")', ["error: please set a colour"]),
        ("import sys; sys.exit(3)", ["the program exited with code 3"]),
        ('pulumi.log.error("not like this")', ["error: not like this"]),
        ('pulumi.CustomResource("aws:s3:Bucket", "b")', ["no provider for package 'aws'"]),
        ('Thing("a", ResourceOptions(import_="x"))', ["test:index:Thing 'a' uses import_"]),
        ('Thing("a", ResourceOptions(id="x"))', ["test:index:Thing.get('a'): reading a resource"]),
        ('Thing("a", ResourceOptions(transforms=[lambda args: None]))', ["test:index:Thing 'a' uses transforms"]),
        ('Thing("a", ResourceOptions(replacement_trigger=1))', ["test:index:Thing 'a' uses replacement_trigger"]),
        ('pulumi.StackReference("org/other/dev")', ["pulumi:pulumi:StackReference"]),
        ("pulumi.runtime.register_stack_transform(lambda args: None)", ["a stack transform is not supported"]),
        ('pulumi.ResourceHook("hook", lambda args: None)', ["the resource hook 'hook' is not supported"]),
    ],
)
def test_a_program_that_cannot_be_carried_out_changes_nothing(stack: Stack, program: str, texts: list[str]) -> None:
    refused = stack.up('Thing("first")\n' + program)
    assert refused.result.exit_code == 1
    for text in texts:
        assert text in refused.text
    assert ("Traceback" in refused.text) == ("ValueError" in program)
    assert refused.text.startswith("Previewing update (dev):")
    assert "created" not in refused.text
    assert stack.cloud.calls() == []
    assert not stack.files.exists()


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


def test_an_interpreter_without_the_sdk_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    (stack.folder / "pulumi.py").write_text('raise ImportError("no SDK here")')
    monkeypatch.setenv("PYTHONPATH", str(stack.folder))
    failed = stack.up('Thing("a")')
    assert failed.result.exit_code == 1
    assert "ImportError: no SDK here" in failed.text
    assert "the program exited with code 1" in failed.text


def test_a_resource_in_an_output_is_known_again(stack: Stack) -> None:
    program = """
        class Box(ComponentResource):
            def __init__(self, name, thing, opts=None):
                super().__init__("test:index:Box", name, {"thing": thing}, opts)
                self.inner = Thing("inner", ResourceOptions(parent=self), of=thing)
                self.register_outputs({})

        thing = Thing("a", value=1)
        box = Box("box", thing)
        export("thing", thing)
        export("of", box.inner.of)
        """
    done = stack.up(program)
    assert done.result.exit_code == 0, done.text
    assert stack.entry("inner").outputs["of"] == stack.entry("a").id
    assert stack.up().result.changes == {"same": 4}


def test_an_explicit_provider_is_used_and_recorded(stack: Stack) -> None:
    program = """
        class Cloud(pulumi.ProviderResource):
            def __init__(self, name, **inputs):
                super().__init__("test", name, inputs)

        cloud = Cloud("mine", region="x", flags=[1])
        class Group(ComponentResource):
            def __init__(self, name, opts):
                super().__init__("test:index:Group", name, None, opts)
                Thing("a", ResourceOptions(parent=self))
        Group("group", ResourceOptions(providers=[cloud]))
        """
    done = stack.up(program)
    assert done.result.exit_code == 0, done.text
    mine = stack.entry("mine")
    assert mine.parent == stack.entry("p-dev").urn
    assert stack.entry("a").provider == f"{mine.urn}::{mine.id}"
    assert stack.up(program.replace('"x"', '"y"')).result.changes == {"same": 3, "update": 1}
    assert stack.entry("a").provider == f"{mine.urn}::{mine.id}"


def test_a_renamed_component_takes_its_children_along(stack: Stack) -> None:
    program = """
        class Group(ComponentResource):
            def __init__(self, name, opts=None):
                super().__init__("test:index:Group", name, None, opts)
                a = Thing("a", ResourceOptions(parent=self))
                Thing("b", ResourceOptions(parent=a, depends_on=[a]))
        Group("old")
        """
    stack.up(program)
    things = stack.cloud.things()
    renamed = program.replace('Group("old")', 'Group("new", ResourceOptions(aliases=[pulumi.Alias(name="old")]))')
    renamed = renamed.replace('Thing("a", ', 'Thing("z", ').replace(
        "ResourceOptions(parent=self)", 'ResourceOptions(parent=self, aliases=[pulumi.Alias(name="a")])'
    )
    done = stack.up(renamed)
    assert done.result.changes == {"same": 4}, done.text
    assert stack.cloud.things() == things
    assert stack.entry("b").parent == stack.entry("z").urn
    assert stack.destroy().result.exit_code == 0


def test_json(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.write('Thing("a", value=Output.secret("hush-hush"))\nexport("x", Output.secret("hush-hush"))')
    api.preview(stack.workspace, api.Options(), api.JsonDisplay(sys.stdout))
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["changeSummary"] == {"create": 2}
    assert {step["op"] for step in document["steps"]} == {"create"}
    assert document["outputs"] == {"x": "[secret]"}
    assert "hush-hush" not in json.dumps(document)


def test_a_confirmation_comes_after_a_preview_and_before_any_change(stack: Stack) -> None:
    asked: list[api.Result] = []

    def decline(result: api.Result) -> bool:
        asked.append(result)
        return False

    declined = stack.up('Thing("a")', confirm=decline)
    assert [result.changes for result in asked] == [{"create": 2}]
    assert "Previewing update (dev):" in declined.text
    assert stack.cloud.calls() == []


def test_what_is_missing_or_wrong_before_a_run_is_one_clear_error(stack: Stack) -> None:
    with pytest.raises(api.EngineError, match="no stack named 'dev'") as missing:
        stack.destroy()
    assert missing.value.exit_code == api.ExitCode.STACK_NOT_FOUND
    with pytest.raises(api.EngineError):
        api.outputs(stack.workspace, show_secrets=False)
    stack.up('Thing("a")')
    stack.workspace = api.Workspace(
        root=stack.folder, stack="dev", backend_url=stack.workspace.backend_url, passphrase="wrong"
    )
    with pytest.raises(api.EngineError, match="passphrase"):
        stack.preview()


def test_a_recording_is_masked_again_when_it_is_shown() -> None:
    """A program can print a secret before the engine has met it."""
    recording, shown, mask = Recording(), Recording(), Mask()
    recording.message(api.Message(severity="info", text="the word is xyzzy"))
    mask.learn(Secret("xyzzy"))
    recording.replay(shown, mask)
    assert "xyzzy" not in str(shown.__dict__)
    assert "[secret]" in str(shown.__dict__)
