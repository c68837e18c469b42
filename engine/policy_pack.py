"""A policy pack on disk: its PulumiPolicy.yaml, and the file that lowers or raises its policies for one stack."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from engine.errors import EngineError
from engine.yamlfile import YamlFile, read_yaml

Level = Literal["advisory", "mandatory", "remediate", "disabled"]
PROJECT_FILE: Final = "PulumiPolicy.yaml"


@dataclass(frozen=True, kw_only=True)
class PackChoice:
    """A pack that a run shall use: its folder, and a JSON file with its configuration."""

    folder: Path
    config: Path | None = None


@dataclass(frozen=True)
class PolicyConfig:
    """What one entry of a configuration says; `level=None` is "as the pack has it"."""

    level: Level | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PolicyPack:
    """What the engine uses of a pack."""

    folder: Path
    shown: str  # the folder as the user named it
    program: str  # what to run, relative to the folder
    python: Path
    version: str  # "" where PulumiPolicy.yaml has none
    config: Mapping[str, PolicyConfig]  # policy, or "all"
    config_file: Path | None


def load_pack(choice: PackChoice, python: Path) -> PolicyPack:
    """`python` runs packs that name no environment. Raises EngineError with file and line."""
    path = choice.folder.absolute() / PROJECT_FILE
    if not path.exists():
        raise EngineError(f"no policy pack in {choice.folder}: there is no {PROJECT_FILE}")
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        raise EngineError(f"{file.path}: expected a mapping with 'runtime'")
    runtime = file.value.get("runtime")
    name = runtime.get("name") if isinstance(runtime, dict) else runtime
    if name != "python":
        raise file.error(f"runtime {name!r}: the embedded engine runs 'python' policy packs only", "runtime")
    options = (runtime.get("options") or {}) if isinstance(runtime, dict) else {}
    virtualenv = options.get("virtualenv") if isinstance(options, dict) else None
    if virtualenv:
        python = file.path.parent / str(virtualenv) / "bin" / "python"
        if not python.exists():
            raise file.error(
                f"'virtualenv' is {virtualenv}, which has no bin/python: create it and install the pack's packages",
                *("runtime", "options", "virtualenv"),
            )
    return PolicyPack(
        folder=file.path.parent,
        shown=_shown(choice.folder),
        program=_text(file, "main") or ".",
        python=python,
        version=_text(file, "version"),
        config=read_config(choice.config) if choice.config else {},
        config_file=choice.config,
    )


def read_config(path: Path) -> dict[str, PolicyConfig]:
    """The official form: policy, or "all", → a level, or an object with `enforcementLevel` and the policy's own keys.

    Raises EngineError that names the file and the entry.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if text.strip() else {}
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise EngineError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise EngineError(f'{path}: write an object such as {{"<policy>": "advisory"}}')
    if "environments" in found:
        raise EngineError(f"{path}: 'environments' needs Pulumi Cloud: write the policies' values into this file")
    return {name: _entry(path, name, value) for name, value in found.items()}


def _entry(path: Path, name: str, value: Any) -> PolicyConfig:
    if isinstance(value, str):
        return PolicyConfig(_level(path, name, value))
    if not isinstance(value, dict):
        raise EngineError(f"{path}: '{name}' must be a level ({_LEVELS}) or an object")
    properties = {key: item for key, item in value.items() if key != "enforcementLevel"}
    level = value.get("enforcementLevel")
    return PolicyConfig(None if level is None else _level(path, name, level), properties)


def _level(path: Path, name: str, value: Any) -> Level:
    for level in get_args(Level):
        if value == level:
            found: Level = level
            return found
    raise EngineError(f"{path}: '{name}': {value!r} is no enforcement level; write one of: {_LEVELS}")


def _shown(folder: Path) -> str:
    """As short as it can be said from here."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def _text(file: YamlFile, key: str) -> str:
    value = file.value.get(key)
    if isinstance(value, dict | list):
        raise file.error(f"'{key}' must be text", key)
    return "" if value is None else str(value)


_LEVELS: Final = ", ".join(get_args(Level))
