"""Gives applications their configuration where they run: what `strata config APP --from cluster` renders."""

import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pulumi

from components.claims import Application
from components.platform import Configuration, Platform
from infra import contract
from infra.settings import Settings
from infra.stack import Outputs

PURPOSE: Final = b"strata: an application's configuration"


def deliver(
    settings: Settings, applications: tuple[Application, ...], platform: Platform, outputs: Outputs, root: Path
) -> None:
    """Declares what each application is given, where the platform gives anything."""
    if not platform.delivers:
        return
    for application in applications:
        if application.name in outputs.applications:
            whole = pulumi.Output.from_input(_contract_of(settings, platform, outputs, application.name))
            platform.deliver(application.name, whole.apply(partial(render, application=application, root=root)))


def render(values: Mapping[str, Any], application: Application, root: Path) -> Configuration:
    """The application's variables and files, as the cluster sees its backends. Raises ConfigError."""
    from infra import config_files
    from infra.rendering import Renderer

    made = contract.StackContract.model_validate(values)
    renderer = Renderer(made, stack=pulumi.get_stack(), app=application.name, view="cluster")
    variables = renderer.variables(application.config, file=f"applications/{application.name}/application.yaml")
    files = {
        _key(name): renderer.file(template, variables, name=f"applications/{application.name}/templates/{name}.j2")
        for name, template in config_files.templates(root, application.name).items()
    }
    hidden = {name: text for name, text in variables.items() if renderer.holds_secret(text)}
    plain = {name: text for name, text in variables.items() if name not in hidden}
    if certificate := renderer.ca:
        files["ca.crt"] = certificate
    return Configuration(variables=plain, secrets=hidden, files=files, checksum=_checksum(variables, files))


def _contract_of(settings: Settings, platform: Platform, outputs: Outputs, name: str) -> dict[str, Any]:
    """The contract, as far as one application needs it."""
    return {
        "contract_version": contract.CONTRACT_VERSION,
        "platform": platform.kind,
        "stage": settings.stage.value,
        "guarantees": list(platform.guarantees),
        "backends": outputs.backends,
        "applications": {name: outputs.applications[name]},
        contract.CREDENTIALS: {name: outputs.credentials.get(name, {})},
    }


def _key(path: str) -> str:
    """A file's key in a Secret, which has no slash."""
    return path.replace("/", ".")


def _checksum(*parts: Mapping[str, str]) -> str:
    text = "\0".join(f"{name}\0{value}" for part in parts for name, value in sorted(part.items()))
    return hmac.digest(PURPOSE, text.encode(), hashlib.sha256).hex()[:32]
