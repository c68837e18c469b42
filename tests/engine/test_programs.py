"""Whole runs: a Pulumi program through the official SDK, the engine's launcher, monitor, providers and state."""

import threading
from pathlib import Path

from engine import api
from tests.engine.stack import Stack


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


def test_a_confirmation_comes_after_a_preview_and_before_any_change(stack: Stack) -> None:
    asked: list[api.Result] = []

    def decline(result: api.Result) -> bool:
        asked.append(result)
        return False

    declined = stack.up('Thing("a")', confirm=decline)
    assert [result.changes for result in asked] == [{"create": 2}]
    assert "Previewing update (dev):" in declined.text
    assert stack.cloud.calls() == []


BRANCHES = """
a = Thing("a", value={value}, fail={fail!r})
b = Thing("b", value=a.path)
pulumi.Output.all(a.path, b.id).apply(lambda values: print("known:", values))
Thing("hidden", value=a.token.apply(lambda token: token + "!"))
Thing("z", value={value})
export("b", b.path)
export("value", {value})
"""


def test_a_program_goes_on_without_what_failed(stack: Stack) -> None:
    failed = stack.up(BRANCHES.format(value=1, fail="create"), continue_on_error=True)
    assert failed.result.exit_code == 1
    assert stack.cloud.calls() == ["create a", "create z"]
    assert "known:" not in failed.text
    assert "test:index:Thing (b):" in failed.text
    assert stack.outputs() == {"value": 1}
    assert stack.up(BRANCHES.format(value=1, fail="")).result.changes == {"same": 2, "create": 3}
    assert set(stack.outputs()) == {"b", "value"}


def test_a_program_goes_on_without_what_is_no_target(stack: Stack) -> None:
    done = stack.up(BRANCHES.format(value=1, fail=""), targets=("**::z",))
    assert done.result.exit_code == 0, done.text
    assert stack.cloud.calls() == ["create z"]
    assert "known:" not in done.text
    assert stack.outputs() == {"value": 1}
    stack.up()
    path = stack.outputs()["b"]
    done = stack.up(BRANCHES.format(value=2, fail=""), targets=("**::z",))
    assert stack.cloud.calls() == ["update z"]
    assert "known:" in done.text
    assert stack.outputs() == {"b": path, "value": 2}


def test_only_targets_are_refreshed(stack: Stack) -> None:
    stack.up(BRANCHES.format(value=1, fail=""))
    for name in ("a", "z"):
        (stack.cloud.folder / f"{stack.entry(name).id}.json").unlink()
    done = stack.refresh(targets=("**::z",))
    assert done.result.changes == {"delete": 1}, done.text
    done = stack.up(refresh=True, targets=("**::a",), target_dependents=True)
    assert "refresh: test:index:Thing a: it is gone" in done.text
    assert stack.cloud.calls()[0] == "create a"
    assert "create z" not in stack.cloud.calls()


def test_a_resource_moves_to_another_parent_without_being_touched(stack: Stack) -> None:
    program = """
        class Group(ComponentResource):
            def __init__(self, name):
                super().__init__("test:index:Group", name)
        group = Group("group")
        a = Thing("a", {parent})
        Thing("b", ResourceOptions(parent=a))
        """
    stack.up(program.replace("{parent}", ""))
    options = "ResourceOptions(parent=group, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])"
    moved = program.replace("{parent}", options)
    done = stack.up(moved)
    assert done.result.changes == {"same": 4}, done.text
    assert stack.cloud.calls() == []
    assert stack.entry("a").parent == stack.entry("group").urn
    assert stack.entry("b").parent == stack.entry("a").urn
