"""The official file backend: where a stack's files are, and how they are read and replaced without ever being half.

.pulumi/meta.yaml
.pulumi/stacks/<project>/<stack>.json (+ .bak: the state before the last save of another process)
.pulumi/history/<project>/<stack>/<stack>-<ns>.{history,checkpoint}.json
.pulumi/locks/organization/<project>/<stack>/<uuid>.json
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from engine.lock import StackLock
from engine.secrets import Vault
from engine.state import Snapshot


class StackFiles:
    """One stack in a file backend. Makes nothing on disk before `save` or `lock`."""

    root: Path
    path: Path  # the stack file

    def __init__(self, url: str, project: str, stack: str) -> None:
        """Raises EngineError for any URL but `file://<absolute path>`."""
        raise NotImplementedError

    def exists(self) -> bool:
        raise NotImplementedError

    def lock(self, tell: Callable[[str], None]) -> StackLock:
        """To be used in `with`: see engine.lock."""
        raise NotImplementedError

    def open(self, passphrase: str, *, salt: str | None = None) -> tuple[Snapshot, Vault]:
        """The state and the vault to save it with; an empty Snapshot and a new salt if there is no file.

        `salt` is the stack config's `encryptionsalt`, which wins for what is encrypted from now on.
        Raises StateError, PassphraseError, EngineError.
        """
        raise NotImplementedError

    def save(self, snapshot: Snapshot, vault: Vault) -> None:
        """Replaces the stack file atomically and durably (fsync); the first save keeps the file before as `.bak`.

        May be called from several threads: each returns when a state at least as new as its own is on disk; calls that
        arrive during a write share the next one. Raises BackendError (disk full, ...); the file then is the old one.
        """
        raise NotImplementedError

    def add_history(
        self,
        kind: Literal["update", "destroy", "refresh"],
        *,
        succeeded: bool,
        start: float,
        end: float,
        changes: Mapping[str, int],
        config: Mapping[str, Any],
        message: str = "",
    ) -> None:
        """One entry of the history, with a copy of the checkpoint. Times are Unix seconds."""
        raise NotImplementedError
