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
