"""YAML as the official CLI reads it (go-yaml 3), with the line of every key for error messages.

PyYAML follows YAML 1.1, where `yes`, `on` and `1:30` are no strings; for the CLI they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.errors import EngineError

try:
    from yaml import CSafeLoader as _Parser
except ImportError:  # a PyYAML that was built without libyaml
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]

_Place = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """A parsed file; `lines` maps the path of a value, such as ("config", "strata:stage"), to its line (from 1)."""

    path: Path
    value: Any
    lines: Mapping[_Place, int]

    def error(self, message: str, *place: str | int) -> EngineError:
        """An error at the deepest part of the place that the file has."""
        depth = next((depth for depth in range(len(place), 0, -1) if place[:depth] in self.lines), 0)
        where = f"{self.path}:{self.lines[place[:depth]]}" if depth else str(self.path)
        return EngineError(f"{where}: {message}")


class _Loader(_Parser):
    """Values of JSON only: no dates, binaries or sets."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - filled below
    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "bool", "int", "float", "str", "seq", "map")
    }


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))


def read_yaml(path: Path) -> YamlFile:
    """Raises EngineError with file and line: no such file, no YAML, a key given twice, a key that is no text."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise EngineError(f"{path}: not UTF-8") from error
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines = _lines(path, node) if node else {}
        return YamlFile(path, loader.construct_document(node) if node else None, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise EngineError(f"{path}{line}: not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise EngineError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from error


def _lines(path: Path, root: yaml.Node) -> dict[_Place, int]:
    found: dict[_Place, int] = {}

    def visit(node: yaml.Node, place: _Place) -> None:
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                found[(*place, index)] = item.start_mark.line + 1
                visit(item, (*place, index))
        elif isinstance(node, yaml.MappingNode):
            for key, item in node.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    raise EngineError(f"{path}:{line}: a key must be text")
                if (*place, key.value) in found:
                    first = found[(*place, key.value)]
                    raise EngineError(f"{path}:{line}: '{key.value}' is given twice, first in line {first}")
                found[(*place, key.value)] = line
                visit(item, (*place, key.value))

    visit(root, ())
    return found
