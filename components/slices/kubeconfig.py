"""The user's kubeconfig: where a cluster's API is, and who one is there.

KUBECONFIG names it (or several files, as kubectl takes them), else it is ~/.kube/config.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from components.slices.errors import SliceError

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import KubeConfig, SingleConfig
    from lightkube.config.models import User

DEFAULT: Final = "~/.kube/config"
SETTING: Final = "strata:platform.context"
PLUGIN_API: Final = "client.authentication.k8s.io"


class ClusterError(SliceError):
    """The API of a cluster cannot be asked, or refuses."""


Version = tuple[tuple[Path, int, int], ...]


def source() -> str:
    return os.environ.get("KUBECONFIG") or DEFAULT


def version() -> Version:
    """The files that are read, as they are now: a client of them is good until the user logs in anew.

    Raises ClusterError.
    """
    known = [(path, path.stat()) for path in _paths()]
    return tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in known)


def configuration(context: str | None) -> "SingleConfig":
    """Server, authority and login of a context; None is the current one. Raises ClusterError."""
    files = [_read(path) for path in _paths()]
    wanted = context or next((file.current_context for file in files if file.current_context), None)
    where = source()
    if wanted is None:
        raise ClusterError(f"{where} has no current context: write the one to use to {SETTING}")
    for file in files:
        if wanted in file.contexts:
            return _of(file, wanted)
    names = ", ".join(sorted(name for file in files for name in file.contexts)) or "none"
    asked = SETTING if context else "its current context"
    raise ClusterError(f"{where} has no context `{wanted}` ({asked}). It has: {names}")


def _paths() -> list[Path]:
    named = [Path(name).expanduser() for name in source().split(os.pathsep) if name]
    there = [path for path in named if path.is_file()]
    if not there:
        raise ClusterError(
            f"there is no kubeconfig {source()}: set KUBECONFIG to the file of your cluster, or log in to the cluster,"
            " which writes one"
        )
    return there


def _read(path: Path) -> "KubeConfig":
    import yaml
    from lightkube.config.kubeconfig import KubeConfig

    try:
        return KubeConfig.from_file(path)
    except OSError as error:
        raise ClusterError(f"{path} cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        # Without the line itself, in which a token may stand.
        raise ClusterError(f"{path} is no kubeconfig: line {line}: {error.problem}") from None
    except Exception as error:  # noqa: BLE001 - whatever is wrong in a file of the user's
        raise ClusterError(f"{path} is no kubeconfig: {type(error).__name__}: {error}") from None


def _of(file: "KubeConfig", context: str) -> "SingleConfig":
    from lightkube.config.models import User

    try:
        found = file.get(context_name=context)
    except KeyError as error:
        raise ClusterError(f"{file.fname}: the context `{context}` names {error}, which is not there") from None
    assert found is not None  # a context that is there
    return found._replace(user=_asked(found.user or User()))


def _asked(user: "User") -> "User":
    """With what a credential plugin needs to know.

    The client knows those of v1beta1, and those of v1 give tokens alike.
    """
    from lightkube.config.models import NameValue

    plugin = user.exec
    if plugin is None or any(value.name == "KUBERNETES_EXEC_INFO" for value in plugin.env or ()):
        return user
    info = {"apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": {"interactive": False}}
    plugin.env = [*(plugin.env or ()), NameValue("KUBERNETES_EXEC_INFO", json.dumps(info))]
    if plugin.apiVersion == f"{PLUGIN_API}/v1":
        plugin.apiVersion = f"{PLUGIN_API}/v1beta1"
    return user
