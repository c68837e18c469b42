"""Random programs on an empty stack and after one another."""

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from engine import backend
from engine.files import replace_file
from engine.integrity import StateError
from engine.providers.base import Call, Old, Properties
from tests.engine.cloud import Cloud
from tests.engine.faults import runs
from tests.engine.faults.programs import Node, Version
from tests.engine.properties.checker import broken_rules
from tests.engine.properties.strategies import changed, programs


class Recording(Cloud):
    """Writes down when each operation began and ended."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.moments: list[tuple[str, str, str]] = []  # (began or ended, operation, name)

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        with self._noted("create", call.name):
            return super().create(call, inputs)

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        with self._noted("update", call.name):
            return super().update(call, old, inputs)

    def delete(self, call: Call, old: Old) -> None:
        with self._noted("delete", call.name):
            super().delete(call, old)

    def when(self, moment: str, operation: str, name: str) -> int | None:
        """The place in the order; None if it never came to that."""
        key = (moment, operation, name)
        return self.moments.index(key) if key in self.moments else None

    @contextmanager
    def _noted(self, operation: str, name: str) -> Iterator[None]:
        self.moments.append(("began", operation, name))
        yield
        self.moments.append(("ended", operation, name))


@contextmanager
def fresh() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def up(folder: Path, version: Version) -> tuple[runs.Ended, Recording]:
    cloud = Recording(folder / "cloud")
    ended = runs.run(folder, version, cloud)
    assert ended.code == 0, ended.text
    return ended, cloud


def resources(folder: Path) -> list[Any]:
    """As they stand in the file, which lists them in the order in which they were done."""
    latest = json.loads((folder / "state/.pulumi/stacks/p/dev.json").read_bytes())["checkpoint"]["latest"]
    return list(latest["resources"])


def by_urn(entries: list[Any]) -> list[Any]:
    """An alias stands in the state only after the run that used it."""
    plain = [{key: value for key, value in entry.items() if key != "aliases"} for entry in entries]
    return sorted(plain, key=lambda entry: str(entry["urn"]))


@given(st.data())
def test_nothing_is_made_before_what_it_needs_or_deleted_before_what_needs_it(data: st.DataObject) -> None:
    first = data.draw(programs())
    second = data.draw(changed(first))
    with fresh() as folder:
        for before, version in (((), first), (first, second), (second, ())):
            _, cloud = up(folder, version)
            _in_order(cloud, before, version)


def _in_order(cloud: Recording, before: Version, version: Version) -> None:
    for node in version:
        for needed in node.needs:
            for mine, theirs in (("create", "create"), ("create", "update"), ("update", "create")):
                began, ended = cloud.when("began", mine, node.name), cloud.when("ended", theirs, needed)
                if began is not None and ended is not None:
                    assert ended < began, f"{mine} of {node.name} began before {theirs} of {needed} had ended"
        made, deleted = cloud.when("began", "create", node.name), cloud.when("began", "delete", node.name)
        if made is not None and deleted is not None:
            assert (deleted < made) == node.delete_first, f"{node.name} was replaced in the wrong order"
    # What is deleted for its replacement goes before what merely depends on it: only what uses it goes first.
    first = {node.name for node in version if node.delete_first}
    for node in before:
        for needed in node.needs - first:
            freed, deleted = cloud.when("ended", "delete", node.name), cloud.when("began", "delete", needed)
            if freed is not None and deleted is not None:
                assert freed < deleted, f"{needed} was deleted while {node.name} still needed it"


@given(st.data())
def test_what_a_preview_says_is_done_and_done_again_it_does_nothing(data: st.DataObject) -> None:
    first = data.draw(programs())
    second = data.draw(changed(first))
    with fresh() as folder:
        for version in (first, second):
            cloud = Recording(folder / "cloud")
            planned = runs.run(folder, version, cloud, command="preview")
            assert planned.code == 0, planned.text
            assert cloud.moments == [], "a preview changed something"
            done, _ = up(folder, version)
            _as_planned(planned.changes, done.changes)
            saved = by_urn(resources(folder))
            again, cloud = up(folder, version)
            assert set(again.changes) <= {"same"}, again.changes
            assert cloud.moments == []
            assert by_urn(resources(folder)) == saved


def _as_planned(planned: Mapping[str, int], done: Mapping[str, int]) -> None:
    """What depends on a replacement may turn out to be as it was: its update is planned and then not made."""
    spared = planned.get("update", 0) - done.get("update", 0)
    assert spared >= 0
    assert done.get("same", 0) == planned.get("same", 0) + spared
    for op in {*planned, *done} - {"update", "same"}:
        assert done.get(op, 0) == planned.get(op, 0), f"{op}: {planned} was planned, {done} was done"


@given(st.data())
def test_the_way_to_a_program_does_not_matter(data: st.DataObject) -> None:
    first = data.draw(programs())
    second = data.draw(changed(first))
    with fresh() as changed_, fresh() as new:
        up(changed_, first)
        up(changed_, second)
        up(new, second)
        assert _without_names(changed_) == _without_names(new)


def _without_names(folder: Path) -> list[dict[str, Any]]:
    """Without what a thing keeps when its resource gets another name, and what others learn of that."""
    kept = ("source", "path", "token")
    entries = runs.normal(runs.snapshot(folder))
    for entry in entries:
        entry["id"] = ""
        for part in ("inputs", "outputs"):
            entry[part] = {key: value for key, value in entry[part].items() if key not in kept}
    return entries


@given(programs(with_secrets=True), st.booleans())
def test_no_secret_is_written_or_shown_in_plain(version: Version, failing: bool) -> None:
    hidden = [node.secret for node in version if node.secret]
    if failing:
        version = (*version, Node(name="bad", physical="bad", secret="is-in-the-error", fail=True))
        hidden.append("is-in-the-error")
    with fresh() as folder:
        ended = runs.run(folder, version, Cloud(folder / "cloud"), details=True)
        assert (ended.code != 0) == failing, ended.text
        shown = ended.text + runs.run(folder, version, Cloud(folder / "cloud"), command="preview", as_json=True).text
        shown += runs.run(folder, (), Cloud(folder / "cloud"), details=True).text
        written = "\n".join(
            path.read_text(errors="replace") for path in (folder / "state").rglob("*") if path.is_file()
        )
        for secret in hidden:
            for form in _forms(secret):
                assert form not in shown, f"{secret!r} is shown as {form!r}"
                assert form not in written, f"{secret!r} is on the disk as {form!r}"


def _forms(secret: str) -> Sequence[str]:
    return (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], base64.b64encode(secret.encode()).decode())


@given(st.data())
def test_every_state_that_is_saved_on_the_way_keeps_the_official_rules(data: st.DataObject) -> None:
    first = data.draw(programs())
    second = data.draw(changed(first))
    saved: list[bytes] = []

    def noting(path: Path, content: bytes, **more: Any) -> None:
        if path.name == "dev.json":
            saved.append(content)
        replace_file(path, content, **more)

    with fresh() as folder, patch.object(backend, "replace_file", noting):
        for version in (first, second, ()):
            up(folder, version)
    assert len(saved) >= 2
    for content in saved:
        assert broken_rules(json.loads(content)) == [], content.decode()


@given(st.data())
def test_what_breaks_a_rule_is_seen_by_the_engine_as_by_a_checker_that_shares_nothing_with_it(
    data: st.DataObject,
) -> None:
    version = data.draw(programs())
    with fresh() as folder:
        up(folder, version)
        file = folder / "state/.pulumi/stacks/p/dev.json"
        document = json.loads(file.read_bytes())
        entries = document["checkpoint"]["latest"]["resources"]
        one, other = data.draw(st.sampled_from(range(len(entries)))), data.draw(st.sampled_from(range(len(entries))))
        edit = data.draw(st.sampled_from(("swap", "drop", "double", "reference", "id", "none")))
        if edit == "swap":
            entries[one], entries[other] = entries[other], entries[one]
        elif edit == "drop":
            del entries[one]
        elif edit == "double":
            entries.append(dict(entries[one]))
        elif edit == "reference":
            entries[one]["dependencies"] = [entries[other]["urn"]]
        elif edit == "id":
            entries[one]["id"] = "x"
        file.write_text(json.dumps(document))
        refused = ""
        try:
            runs.snapshot(folder)
        except StateError as error:
            refused = str(error)
        assert bool(refused) == bool(broken_rules(document)), (edit, refused, broken_rules(document))


def test_the_checker_finds_what_it_is_for() -> None:
    node = Node(name="a", physical="a")
    with fresh() as folder:
        up(folder, (node, replace(node, name="b", physical="b", after=("a",))))
        document = {"checkpoint": {"latest": {"resources": resources(folder)}}}
    assert broken_rules(document) == []
    document["checkpoint"]["latest"]["resources"].reverse()
    assert broken_rules(document)
