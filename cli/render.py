"""`strata render`: the manifests of a stack as YAML files, one for each object."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from cli.errors import CliError
from cli.options import JsonOption, StackOption
from cli.terminal import Terminal
from infra.workspace import find

MARK: Final = "# Written by `strata render`"
INDEX: Final = "kustomization.yaml"


def render(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Made if need be; files of an earlier run are replaced.")
    ],
    stack: StackOption = "prod",
    json_output: JsonOption = False,
) -> None:
    """Write what a stack declares in a cluster as plain YAML, without the values of secrets; asks no cluster."""
    from cli import project
    from infra import manifests

    workspace = find(stack)
    settings = project.read_settings(workspace)
    applications = tuple(project.read_applications(workspace, settings).values())
    found = manifests.render(settings, applications, workspace.root, workspace.project, stack)
    if not found:
        raise CliError(f"the stack `{stack}` declares nothing in a cluster: its platform is {settings.platform.kind}")
    texts = {_name(each): _text(each, stack) for each in found}
    index = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(texts)}
    texts[INDEX] = _text(index, stack)
    _replace(folder, texts)
    terminal = Terminal(json_output=json_output)
    if json_output:
        terminal.document({"stack": stack, "folder": str(folder), "files": list(texts)})
    else:
        terminal.say(f"{len(found)} objects in {folder}; values of secrets are not in them")


def _replace(folder: Path, texts: dict[str, str]) -> None:
    """Raises CliError for a folder that has files of somebody else, before anything in it is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        if not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            raise CliError(f"{path} was not written by `strata render`: name an empty folder, or a new one")
    for path in files:
        if str(path.relative_to(folder)) not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _name(manifest: dict[str, Any]) -> str:
    metadata = manifest["metadata"]
    return f"{metadata.get('namespace', 'cluster')}/{manifest['kind'].lower()}-{metadata['name']}.yaml"


def _text(manifest: dict[str, Any], stack: str) -> str:
    return f"{MARK} --stack {stack}\n{yaml.safe_dump(manifest, allow_unicode=True, width=120)}"
