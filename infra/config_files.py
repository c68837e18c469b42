"""An application's configuration as files: its variables as env, yaml or json, and the files that it has templates for.

`applications/<name>/templates/<path>.j2` becomes `<path>`. What templates see is in infra.rendering.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import yaml

from components import privatefiles
from components.privatefiles import state_home
from infra.choices import Format
from infra.rendering import ConfigError


def to_text(values: Mapping[str, str], format: Format, *, header: str = "") -> str:
    """`values` in a format. `header` becomes a comment where the format has comments."""
    comment = "".join(f"# {line}\n" for line in header.splitlines())
    return _WRITERS[format](values, comment)


# In the first lines of every file that has comments.
MARK: Final = "Written by `strata config"


def templates(root: Path, app: str) -> dict[str, str]:
    """Path of a file of the application → its template. Raises ConfigError for one that cannot be read."""
    folder = root / "applications" / app / "templates"
    found = {}
    for file in sorted(folder.rglob("*.j2")):
        try:
            found[str(file.relative_to(folder).with_suffix(""))] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file.relative_to(root)} cannot be read: {error}") from None
    return found


def path(stack: str, app: str, format: Format) -> Path:
    """Where the variables of an application are kept."""
    return _home(stack) / f"{app}.{format}"


def folder(stack: str, app: str) -> Path:
    """Where the files are kept that an application has templates for."""
    return _home(stack) / app


def write(target: Path, text: str) -> Path:
    """Replaces a file of the state home atomically; only its owner can read it (0600)."""
    privatefiles.replace(target, text)
    return target


def hand_out(target: Path, text: str) -> Path:
    """Writes a file into a folder of the user's, for its owner alone. Raises ConfigError if one of theirs is there."""
    try:
        was = target.read_text(encoding="utf-8", errors="replace") if target.exists() else text
        if was != text and MARK not in was:
            raise ConfigError(f"{target} exists, and Strata did not write it: move it away, or give another --out")
        target.parent.mkdir(parents=True, exist_ok=True)
        privatefiles.replace(target, text)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}") from None
    return target


def headed(name: str, text: str, header: str) -> str:
    """`text` with `header` as its first comment, where the file's format has comments."""
    comments = Path(name).suffix in (".env", ".toml", ".yaml", ".yml") or Path(name).name == ".env"
    return "".join(f"# {line}\n" for line in header.splitlines()) + text if comments else text


def remove(stack: str) -> list[Path]:
    """Removes a stack's files, whose passwords open nothing any more; what was removed."""
    files = sorted(path for path in _home(stack).rglob("*") if path.is_file())
    for file in files:
        file.unlink()
    for empty in sorted((path for path in _home(stack).rglob("*") if path.is_dir()), reverse=True):
        empty.rmdir()
    return files


def _home(stack: str) -> Path:
    return state_home() / "config" / stack


def _env(values: Mapping[str, str], comment: str) -> str:
    """For `set -a; . FILE` of a POSIX shell, with the shell's quotes where a value needs them.

    A value of plain characters is written bare, which `docker run --env-file` needs: it takes quotes literally. A
    value that had to be quoted is therefore for the shell (and for dotenv readers that know single quotes).
    """
    return comment + "".join(f"{name}={shlex.quote(value) if value else ''}\n" for name, value in values.items())


def _yaml(values: Mapping[str, str], comment: str) -> str:
    return comment + yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=float("inf"))


def _json(values: Mapping[str, str], comment: str) -> str:
    return json.dumps(dict(values), indent=2, ensure_ascii=False) + "\n"


_WRITERS: Final[Mapping[Format, Callable[[Mapping[str, str], str], str]]] = {"env": _env, "yaml": _yaml, "json": _json}
