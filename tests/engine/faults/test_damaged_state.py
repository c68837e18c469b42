"""A state file that was cut off or edited: one error that names it and the way back, or a state that can be used."""

import copy
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engine import api, secrets
from engine.backend import StackFiles
from engine.errors import EngineError
from engine.integrity import StateError
from tests.engine.cloud import Cloud
from tests.engine.faults import runs
from tests.engine.faults.programs import versions

SEED = 3
OTHERS: tuple[Any, ...] = (None, 5, -1.5, "x", "", True, [], {}, [1], {"a": 1})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack after two runs: with a copy of the state before, and a history."""
    folder = tmp_path_factory.mktemp("damaged")
    for version in versions(SEED):
        assert runs.run(folder, version, Cloud(folder / "cloud")).code == 0
    return folder


@pytest.fixture
def files(made: Path, tmp_path: Path) -> Iterator[StackFiles]:
    folder = tmp_path / "stack"
    shutil.copytree(made, folder)
    with patch.object(secrets, "_ROUNDS", 1):
        yield StackFiles((folder / "state").as_uri(), "p", "dev")


def refusal(files: StackFiles, damaged: bytes) -> str:
    """What `open` says of that content; nothing if it takes it. Anything but an EngineError fails the test."""
    files.path.write_bytes(damaged)
    try:
        files.open(runs.PASSPHRASE)
    except EngineError as error:
        assert files.path.read_bytes() == damaged, "the evidence was changed"
        return str(error)
    return ""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any, *, remove: bool = False) -> Any:
    if not path:
        return value
    made = copy.deepcopy(document)
    parent = made
    for key in path[:-1]:
        parent = parent[key]
    if remove:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return made


def test_a_file_cut_off_anywhere_is_refused_with_the_way_back(files: StackFiles) -> None:
    whole = files.path.read_bytes()
    for end in range(0, len(whole) - 2, 41):
        said = refusal(files, whole[:end])
        assert str(files.path) in said
        assert f"cp '{files.backup}' '{files.path}'" in said, f"cut off at {end}: {said}"


def test_an_edit_anywhere_is_refused_by_name_or_means_what_it_says(files: StackFiles) -> None:
    document = json.loads(files.path.read_bytes())
    refused = 0
    for path in places(document):
        edits = [changed(document, path, other) for other in OTHERS]
        edits += [changed(document, path, None, remove=True)] if path else []
        for edit in edits:
            said = refusal(files, json.dumps(edit).encode())
            refused += bool(said)
            assert not said or str(files.path) in said or "passphrase" in said, f"{path}: {said}"
    assert refused > 200, "edits are not noticed"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda entries: entries.append(entries[1]), "two entries of that URN"),
        (lambda entries: entries.pop(0), "parent .* is missing"),
        (lambda entries: entries.reverse(), "comes after it|is not an earlier entry"),
        (lambda entries: entries[-1].update(provider=entries[-1]["provider"] + "x"), "its provider .*x is not"),
        (lambda entries: entries[0].update(id="x"), "must not have an id"),
        (lambda entries: entries[-1].update(dependencies=["urn:pulumi:dev::p::a:b:C::ghost"]), "ghost is missing"),
    ],
)
def test_a_broken_rule_of_integrity_is_named(files: StackFiles, edit: Any, says: str) -> None:
    document = json.loads(files.path.read_bytes())
    edit(document["checkpoint"]["latest"]["resources"])
    files.path.write_text(json.dumps(document))
    with pytest.raises(StateError, match=says):
        files.open(runs.PASSPHRASE)


def test_a_copy_that_is_damaged_too_is_not_offered(files: StackFiles) -> None:
    files.path.write_bytes(b"{")
    files.backup.write_bytes(files.backup.read_bytes()[:-20])
    history = sorted(files.path.parents[2].glob("history/p/dev/*.checkpoint.json"))
    assert len(history) == 2
    for number, offered in enumerate(reversed(history)):
        said = refusal(files, b"{")
        assert f"A run before it left a copy; to go back: cp '{offered}'" in said
        offered.write_bytes(b"[]" if number else b"")
    said = refusal(files, b"{")
    assert "There is no whole copy of it" in said
    assert "cp " not in said


@pytest.mark.parametrize("command", ["up", "preview", "refresh", "destroy", "outputs"])
def test_no_command_acts_on_a_damaged_state(files: StackFiles, command: str) -> None:
    folder = files.path.parents[4]
    files.path.write_bytes(damaged := files.path.read_bytes()[:-50])
    cloud = Cloud(folder / "cloud")
    cloud.forget_calls()
    workspace = runs.workspace(folder)
    (folder / "__main__.py").write_text("raise SystemExit('the program must not run')")
    commands: dict[str, Callable[[], Any]] = {"outputs": lambda: api.outputs(workspace, show_secrets=False)}
    act = commands.get(command, lambda: getattr(api, command)(workspace, api.Options(), api.TextDisplay(io.StringIO())))
    with pytest.raises(EngineError, match=r"dev\.json can't be used: not JSON"):
        act()
    assert files.path.read_bytes() == damaged
    assert cloud.calls() == []


def test_the_command_that_is_offered_leads_back_to_a_stack_that_converges(files: StackFiles) -> None:
    folder, (_, second) = files.path.parents[4], versions(SEED)
    expected, things = runs.normal(runs.snapshot(folder)), Cloud(folder / "cloud").things()
    said = refusal(files, files.path.read_bytes()[:-50])
    subprocess.run(["sh", "-c", said.partition("to go back: ")[2]], check=True)
    done = runs.run(folder, second, Cloud(folder / "cloud"), refresh=True)
    assert done.code == 0, done.text
    assert runs.normal(runs.snapshot(folder)) == expected
    assert Cloud(folder / "cloud").things() == things


def test_an_edited_log_of_steps_is_named_and_one_that_is_cut_off_is_taken(files: StackFiles) -> None:
    from hashlib import sha256

    log = files.path.with_name("dev.json.steps")
    document = json.loads(files.path.read_bytes())
    count = len(document["checkpoint"]["latest"]["resources"])
    header = {"base": sha256(files.path.read_bytes()).hexdigest(), "finished": count, "older": [], "begun": []}
    put = [{"put": {**document["checkpoint"]["latest"]["resources"][-1], "id": "logged"}}]
    log.write_text(f"{json.dumps(header)}\n{json.dumps(put)}\n" + json.dumps(put)[:20])
    assert files.open(runs.PASSPHRASE)[0].resources[-1].id == "logged"
    edits: list[Any] = [[{"put": {}}], [{"begun": 1}], [5], 5, [{"settled": []}], [{"put": None}]]
    for edit in edits:
        log.write_text(f"{json.dumps(header)}\n{json.dumps(edit)}\n")
        said = refusal(files, files.path.read_bytes())
        if said:
            assert f"{log}, which continues it, has an unexpected form" in said
            assert f"rm '{log}'" in said
    for broken in ({**header, "older": [1]}, {**header, "finished": "x"}, {"base": header["base"]}):
        log.write_text(f"{json.dumps(broken)}\n{json.dumps(put)}\n")
        assert "has an unexpected form" in refusal(files, files.path.read_bytes()), broken
