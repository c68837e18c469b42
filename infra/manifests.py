"""The objects that a stack declares in a cluster, as plain manifests: for reviewers, audits and GitOps.

The program runs against the SDK's mocks, which answer with placeholders in the place of an engine: no cluster is asked,
no state is read, and nothing is made. What only an engine knows - passwords, certificates, the state's id - is not in
the result, so two runs of one checkout give the same text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.claims import Application
from infra.settings import Settings

# What stands where only an engine knows the value. Valid in a label.
PLACEHOLDER: Final = "known-after-up"
KEYS: Final = "strata.keys"  # annotation: the keys of a Secret, whose values are not rendered
SPECIAL: Final = "4dabf18193072939515e22adb298388d"  # the SDK's mark of a value that is more than it looks
COMPUTED: Final = ("result", "value", "identity", "version", "privateKeyPem", "certRequestPem", "certPem")
_OWN: Final = "pulumi.com/"  # annotations for engines, which mean nothing to Kubernetes


def render(
    settings: Settings, applications: tuple[Application, ...], root: Path, project: str, stack: str
) -> list[dict[str, Any]]:
    """The manifests, ordered by namespace, kind and name. Raises SettingsError."""
    import pulumi
    from pulumi.runtime import mocks

    from infra import delivery, platforms
    from infra import stack as program

    found: list[dict[str, Any]] = []

    class Recorder(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if args.typ.startswith("kubernetes:"):
                found.append(_manifest(_whole(args.inputs)))
            computed = dict.fromkeys(COMPUTED, PLACEHOLDER)
            return args.name, {**computed, "hex": "0" * 32, **args.inputs}

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
            raise AssertionError(f"the program calls {args.token}")

    mocks.set_mocks(Recorder(), project=project, stack=stack, preview=False)

    def declare() -> None:
        platform = platforms.make(settings, applications, project, stack, pinned=False)
        outputs = program.deploy(settings, applications, platform, root)
        program.export(settings, platform, outputs)
        delivery.deliver(settings, applications, platform, outputs, root)

    pulumi.runtime.test(declare)()  # type: ignore[no-untyped-call]  # runs it to the end, outputs too
    return sorted((each for each in found if "kind" in each), key=_order)


def _manifest(inputs: Mapping[str, Any]) -> dict[str, Any]:
    manifest = {key: value for key, value in inputs.items() if key not in ("data", "stringData")}
    metadata = {**manifest.get("metadata", {})}
    annotations = {k: v for k, v in metadata.pop("annotations", {}).items() if not k.startswith(_OWN)}
    data = {**(inputs.get("data") or {}), **(inputs.get("stringData") or {})}
    if inputs.get("kind") == "Secret":
        annotations[KEYS] = ",".join(sorted(data))
    elif "data" in inputs:
        manifest["data"] = data
    if annotations:
        metadata["annotations"] = annotations
    return {**manifest, "metadata": metadata}


def _whole(value: Any) -> Any:
    """On the wire of Pulumi every number is a double, and a secret is wrapped."""
    if isinstance(value, Mapping) and SPECIAL in value:
        return _whole(value.get("value"))
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _order(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    """A namespace before what is in it."""
    metadata = manifest["metadata"]
    return metadata.get("namespace", ""), manifest["kind"], metadata["name"]
