"""Pulumi.yaml: the project, its program, and the configuration that it declares."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.yamlfile import YamlFile, read_yaml

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_TYPES = ("string", "integer", "boolean", "object", "array")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One entry of `config:` in Pulumi.yaml."""

    key: str  # "<namespace>:<name>"
    type: str = ""  # one of string, integer, boolean, object, array; empty: anything
    items: Mapping[str, Any] | None = None  # of an array: {type, items}
    secret: bool = False
    default: Any = None  # also a `value`, which is the same for keys of another namespace

    @property
    def type_name(self) -> str:
        """As messages show it, such as `array<string>`."""
        return _type_name(self.type, self.items)

    def accepts(self, value: Any) -> bool:
        return not self.type or _accepts(self.type, self.items, value)


@dataclass(frozen=True, kw_only=True)
class Project:
    """What the engine uses of Pulumi.yaml."""

    name: str
    file: Path
    root: Path  # the folder of Pulumi.yaml
    program: Path  # the folder (or file) to run: `main`
    virtualenv: Path | None = None  # runtime.options.virtualenv
    stack_config_folder: Path
    declarations: Mapping[str, Declaration] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """The interpreter of the virtualenv, else this process' own. Raises EngineError if it is missing."""
        if self.virtualenv is None:
            return Path(sys.executable)
        python = self.virtualenv / "bin" / "python"
        if not python.exists():
            raise EngineError(
                f"{self.file}: runtime.options.virtualenv names {self.virtualenv}, which has no bin/python: create it "
                f"(python3 -m venv {self.virtualenv}) and install the project into it"
            )
        return python

    def config_file(self, stack: str) -> Path:
        """Pulumi.<stack>.yaml, which need not exist."""
        return self.stack_config_folder / f"Pulumi.{stack}.yaml"


def load_project(root: Path) -> Project:
    """Reads <root>/Pulumi.yaml. Raises EngineError with file and line."""
    path = root.absolute() / "Pulumi.yaml"
    if not path.exists():
        raise EngineError(f"no Pulumi.yaml in {root.absolute()}: run this in the project's folder")
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        raise EngineError(f"{path}: expected a mapping with 'name' and 'runtime'")
    name = file.value.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise file.error("'name' must be text of letters, digits, '.', '_' and '-'", "name")
    options = _runtime_options(file)
    virtualenv = options.get("virtualenv")
    main = _text(file, "main")
    return Project(
        name=name,
        file=path,
        root=path.parent,
        program=path.parent / main,
        virtualenv=path.parent / str(virtualenv) if virtualenv else None,
        stack_config_folder=path.parent / _text(file, "stackConfigDir"),
        declarations=_declarations(file, name),
    )


def _text(file: YamlFile, key: str) -> str:
    value = file.value.get(key)
    if value is not None and not isinstance(value, str):
        raise file.error(f"'{key}' must be text", key)
    return value or ""


def _runtime_options(file: YamlFile) -> dict[str, Any]:
    runtime = file.value.get("runtime")
    name = runtime.get("name") if isinstance(runtime, dict) else runtime
    if name != "python":
        raise file.error(f"runtime {name!r}: the embedded engine runs 'python' programs only", "runtime")
    options = (runtime.get("options") or {}) if isinstance(runtime, dict) else {}
    if not isinstance(options, dict):
        raise file.error("'runtime.options' must be a mapping", "runtime", "options")
    if options.get("toolchain", "pip") != "pip":
        raise file.error(
            "the embedded engine knows no toolchain but 'pip': name the environment in runtime.options.virtualenv",
            *("runtime", "options", "toolchain"),
        )
    return options


def _declarations(file: YamlFile, project: str) -> dict[str, Declaration]:
    config = file.value.get("config")
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise file.error("'config' must be a mapping (for the folder of stack files write 'stackConfigDir')", "config")
    found: dict[str, Declaration] = {}
    for name, value in config.items():
        declaration = _declaration(file, project, str(name), value)
        if declaration.key in found:
            raise file.error(f"'{declaration.key}' is declared twice", "config", str(name))
        found[declaration.key] = declaration
    return found


def _declaration(file: YamlFile, project: str, name: str, value: Any) -> Declaration:
    """The rules are those of Project.Validate (sdk/go/common/workspace/project.go in pulumi/pulumi)."""
    place = ("config", name)
    key = full_key(file, project, name, *place)
    own = key.startswith(f"{project}:")
    given = value if isinstance(value, dict) else {"default" if own else "value": value}
    kind, items, default = given.get("type", ""), given.get("items"), given.get("default")
    if kind and kind not in _TYPES:
        raise file.error(f"'{name}': unknown type {kind!r}; known: {', '.join(_TYPES)}", *place, "type")
    if kind and not own:
        raise file.error(f"'{name}' is of another namespace and must not declare a type", *place)
    if default is not None and (not own or given.get("value") is not None):
        raise file.error(f"'{name}': 'default' is for the project's own keys, and not beside 'value'", *place)
    if not own and given.get("value") is None:
        raise file.error(f"'{name}' is of another namespace and must give a 'value'", *place)
    if kind == "array" and not isinstance(items, dict):
        raise file.error(f"'{name}': an array must declare the type of its 'items'", *place)
    declaration = Declaration(
        key=key,
        type=kind,
        items=items,
        secret=given.get("secret") is True,
        default=given.get("value") if default is None else default,
    )
    if default is not None and not declaration.accepts(default):
        raise file.error(f"'{name}': the default is not of type {declaration.type_name}", *place)
    return declaration


def full_key(file: YamlFile, project: str, name: str, *place: str | int) -> str:
    """A configuration key with its namespace: the project's, where none is given."""
    parts = name.split(":")
    if len(parts) == 3 and parts[1] == "config":  # an old form: <namespace>:config:<name>
        parts = [parts[0], parts[2]]
    if len(parts) == 1:
        parts = [project, name]
    if len(parts) != 2 or not all(parts):
        raise file.error(f"'{name}' is no configuration key: write <namespace>:<name>", *place)
    return ":".join(parts)


def _type_name(kind: str, items: Mapping[str, Any] | None) -> str:
    return f"array<{_type_name(items.get('type', ''), items.get('items'))}>" if items else kind


def _accepts(kind: str, items: Mapping[str, Any] | None, value: Any) -> bool:
    """The rules are those of ValidateConfigValue: texts that read as a whole number or a truth value are accepted."""
    if kind == "string":
        return isinstance(value, str)
    if kind == "integer":
        if isinstance(value, str):
            return re.fullmatch(r"[-+]?[0-9]+", value) is not None
        return not isinstance(value, bool) and isinstance(value, int | float) and float(value).is_integer()
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if kind == "object":
        return isinstance(value, dict)
    inner = items or {}
    return isinstance(value, list) and all(_accepts(inner.get("type", ""), inner.get("items"), item) for item in value)
