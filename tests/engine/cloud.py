"""A provider for tests: things are files in a folder, so that they outlive a killed engine; every call is logged."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.providers.base import Call, CheckFailed, Diff, Old, PartialFailure, Properties, ProviderError, Unsupported
from engine.values import UNKNOWN

THING = "test:index:Thing"
_PATIENCE = 20.0  # seconds that a call waits at a gate


class Cloud:
    """Inputs: `value` updates, `kind` replaces; `dbr` deletes first; `fail` names operations that fail, and `gate` a
    file that an operation waits for. Outputs: the inputs, `path`, and `token`, which nobody asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.timeouts: dict[str, float | None] = {}  # of the last call of each operation
        folder.mkdir(exist_ok=True)

    def things(self) -> dict[str, Any]:
        return {path.stem: json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))}

    def calls(self) -> list[str]:
        """Operations in the order in which they began, such as "create a"."""
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []

    def forget_calls(self) -> None:
        (self.folder / "log").unlink(missing_ok=True)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to configure."""

    def check(self, call: Call, old_inputs: Properties | None, inputs: Properties) -> Properties:
        if call.type != THING:
            raise Unsupported(f"{call.type} is not a thing")
        if inputs.get("value") == "refused":
            raise CheckFailed([("value", "is refused")])
        generated = (old_inputs or {}).get("label") or call.random_seed.hex()[:7]
        return {**inputs, "label": inputs.get("label", generated)}

    def diff(self, call: Call, old: Old, inputs: Properties) -> Diff:
        changed = tuple(key for key in sorted({*old.inputs, *inputs}) if old.inputs.get(key) != inputs.get(key))
        return Diff(
            bool(changed),
            replaces=tuple(key for key in changed if key == "kind"),
            paths=changed,
            delete_before_replace=bool(inputs.get("dbr")),
        )

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        self._begin("create", call, inputs)
        id = f"{call.name}-{inputs['label']}"
        outputs = self._write(id, inputs)
        self._wait(inputs, "created")
        if "partly" in inputs.get("fail", ""):
            raise PartialFailure([f"{call.name} is not ready"], id, outputs)
        return id, outputs

    def read(self, call: Call, old: Old) -> Old | None:
        """The thing as its file has it now; `down` in the folder, or the file of another thing gone, is no answer."""
        needs = old.inputs.get("behind")
        if (self.folder / "down").exists() or (needs and not list(self.folder.glob(f"{needs}-*.json"))):
            raise ProviderError(f"{call.name} does not answer")
        path = self.folder / f"{old.id}.json"
        return Old(old.id, old.inputs, {**old.outputs, **json.loads(path.read_text())}) if path.exists() else None

    def update(self, call: Call, old: Old, inputs: Properties) -> Properties:
        self._begin("update", call, inputs)
        outputs = self._write(old.id, inputs)
        self._wait(inputs, "updated")
        return outputs

    def delete(self, call: Call, old: Old) -> None:
        self._begin("delete", call, old.inputs)
        (self.folder / f"{old.id}.json").unlink(missing_ok=True)
        self._wait(old.inputs, "deleted")

    def invoke(self, token: str, args: Properties) -> Properties:
        return {"token": token, **args}

    def close(self) -> None:
        """Nothing is open."""

    def _begin(self, operation: str, call: Call, inputs: Properties) -> None:
        self.timeouts[operation] = call.timeout
        assert UNKNOWN not in inputs.values(), f"{operation} {call.name} was given unknown values"
        with (self.folder / "log").open("a") as log:
            log.write(f"{operation} {call.name}\n")
        if operation in inputs.get("fail", ""):
            raise ProviderError(f"cannot {operation} {call.name} with {inputs.get('value')}")
        self._wait(inputs, operation)

    def _wait(self, inputs: Properties, moment: str) -> None:
        """At a gate: says that it is reached, and waits until it is opened."""
        if inputs.get("at") != moment:
            return
        gate = Path(inputs["gate"])
        gate.with_suffix(".reached").touch()
        deadline = time.monotonic() + _PATIENCE
        while not gate.exists():
            if time.monotonic() > deadline:
                raise ProviderError(f"nobody opened {gate.name}")
            time.sleep(0.01)

    def _write(self, id: str, inputs: Properties) -> Properties:
        path = self.folder / f"{id}.json"
        draft = path.with_suffix(".new")  # a kill in the middle leaves no half a thing
        draft.write_text(json.dumps(inputs))
        draft.replace(path)
        return {**inputs, "path": path.name, "token": f"token-of-{id}", "pid": os.getpid()}
