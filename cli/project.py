"""What the command reads of a stack's settings: the same models as the program, from the same files.

Imported only by commands that need it: building the models takes a while at every start.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from cli.errors import CliError
from components.claims import Application
from infra import settings
from infra.settings import Settings
from infra.workspace import Workspace


def read_settings(workspace: Workspace) -> Settings:
    """The settings in Pulumi.<stack>.yaml. Raises SettingsError, CliError."""
    file = workspace.config_file
    try:
        config: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        stacks = sorted(p.name[len("Pulumi.") : -len(".yaml")] for p in workspace.root.glob("Pulumi.*.yaml"))
        raise CliError(
            f"no settings for the stack `{workspace.stack}`: {file.name} does not exist.\n"
            f"Write it (Pulumi.dev.yaml shows how), or choose one of: {', '.join(stacks) or '(there is none)'}"
        ) from None
    except yaml.YAMLError as error:
        raise CliError(f"{file.name} is not YAML: {error}") from None
    values = config.get("config") if isinstance(config, Mapping) else None
    if not isinstance(values, Mapping):
        raise CliError(f"{file.name} has no settings. Write a mapping `config:`; Pulumi.dev.yaml shows how")
    own = {key: value for key, value in values.items() if ":" not in key or key.startswith(f"{workspace.project}:")}
    return settings.parse({key.removeprefix(f"{workspace.project}:"): v for key, v in own.items()}, file=file.name)


def read_applications(workspace: Workspace, known: Settings | None = None) -> dict[str, Application]:
    """The stack's applications by name; `known` are its settings, if they were read. Raises SettingsError, CliError."""
    applications = settings.read_applications(known or read_settings(workspace), workspace.root)
    return {application.name: application for application in applications}
