"""The official file backend: where a stack's files are, and how they are replaced without ever being half.

.pulumi/meta.yaml
.pulumi/stacks/<project>/<stack>.json, and .bak, the state before the last save; .steps, see engine.steps
.pulumi/history/<project>/<stack>/<stack>-<ns>.{history,checkpoint}.json
.pulumi/locks/organization/<project>/<stack>/<uuid>.json
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from engine.checkpoint import Writer, decode, is_whole, salt_of
from engine.deltas import Layout
from engine.errors import EngineError, ExitCode
from engine.files import make_folder, replace_file
from engine.integrity import StateError, verify
from engine.journal import Journal
from engine.lock import StackLock
from engine.secrets import CiphertextError, Vault
from engine.state import Snapshot
from engine.steplog import Pace, StepLog
from engine.steps import StepsError, fold, load, log_of

_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]+")  # sdk/go/common/tokens/names.go, without the folders `.` and `..`
_META = b"version: 1\n"  # stacks are in folders of their projects (pkg/backend/diy/meta.go)


class StackFiles:
    """One stack in a file backend. Makes nothing on disk before `save` or `lock`."""

    def __init__(self, url: str, project: str, stack: str) -> None:
        """Raises EngineError for any URL but `file://<path>`, and for names that the official CLI refuses."""
        for what, name in (("project", project), ("stack", stack)):
            if not _NAME.fullmatch(name):
                raise EngineError(
                    f"'{name}' is no {what} name: use letters, digits, '.', '_' and '-'", ExitCode.BAD_USAGE
                )
        self.project, self.stack = project, stack
        self._home = _local_path(url) / ".pulumi"
        self.path = self._home / "stacks" / project / f"{stack}.json"
        self._writer: Writer | None = None
        self._log = StepLog(log_of(self.path))
        self._pace = Pace()
        self._journal: Journal | None = None  # whose steps the log has
        self._layout = Layout(0, (), ())
        self._base = ""  # SHA-256 of the file that the log continues
        self._writing = threading.Lock()
        self._counting = threading.Lock()
        self._asked = self._saved = 0

    @property
    def backup(self) -> Path:
        """The state before the last save."""
        return self.path.with_name(self.path.name + ".bak")

    @property
    def _history(self) -> Path:
        return self._home / "history" / self.project / self.stack

    def exists(self) -> bool:
        return self.path.exists()

    @property
    def lock_folder(self) -> Path:
        return self._home / "locks" / "organization" / self.project / self.stack

    def lock(self, tell: Callable[[str], None]) -> StackLock:
        """To be used in `with`: see engine.lock."""
        return StackLock(self.lock_folder, tell)

    def open(self, passphrase: str, *, salt: str | None = None) -> tuple[Snapshot, Vault]:
        """The state and the vault to save it with; an empty Snapshot and a new salt if there is no file.

        `salt` is the stack config's `encryptionsalt`, which wins for what is encrypted from now on.
        Raises StateError, PassphraseError, EngineError.
        """
        config = f"the encryptionsalt in Pulumi.{self.stack}.yaml"
        try:
            self._check_layout()
            if not self.exists():
                return Snapshot(), Vault.open(passphrase, salt, where=config) if salt else Vault.create(passphrase)
            document = load(self.path)
            own_salt = salt_of(document)
            own = Vault.open(passphrase, own_salt, where=str(self.path)) if own_salt else None
            snapshot = decode(document, own)
            verify(snapshot.resources)
        except StepsError as error:
            raise self._damaged_log(error) from error
        except (ValueError, RecursionError) as error:
            raise StateError(self._damaged(f"not JSON ({error})")) from error
        except (StateError, CiphertextError) as error:
            raise StateError(self._damaged(str(error))) from error
        except OSError as error:
            raise EngineError(f"{self.path}: {error.strerror}") from error
        if salt and salt != own_salt:
            return snapshot, Vault.open(passphrase, salt, where=config)
        return snapshot, own or Vault.create(passphrase)

    def save(self, take: Callable[[], Snapshot], vault: Vault) -> None:
        """Replaces the stack file atomically and durably; the file before becomes `.bak`.

        `take` returns the newest snapshot; it is called when the write begins. So this may be called from several
        threads: each call returns when a state at least as new as at its beginning is on disk, and calls that arrive
        during a write share the next one. Raises EngineError (disk full, …; the file then is the old one), and
        StateError for a snapshot that breaks a rule of integrity (which is saved all the same).
        """
        self._share(lambda: self._write(take(), vault))
        self._pace.broken = True  # a log would not know what this save has

    def record(self, journal: Journal, vault: Vault) -> None:
        """As `save`, and with the time that it takes in proportion to what changed: a large state is logged stepwise.

        The last save of a run has to be a whole one.
        """
        self._share(lambda: self._write_or_log(journal, vault))

    def fold(self) -> bool:
        """Brings the stack file up to date if a run was killed between two whole saves; for the official CLI.

        To be used under the lock. Raises StateError, EngineError.
        """
        try:
            return fold(self.path, self.backup)
        except StepsError as error:
            raise self._damaged_log(error) from error
        except ValueError as error:
            raise StateError(self._damaged(f"not JSON ({error})")) from error
        except OSError as error:
            raise EngineError(f"{self.path}: {error.strerror}") from error

    def _share(self, write: Callable[[], None]) -> None:
        with self._counting:
            self._asked += 1
            ticket = self._asked
        with self._writing:
            if self._saved >= ticket:
                return
            with self._counting:
                covered = self._asked
            write()
            self._saved = covered

    def _write_or_log(self, journal: Journal, vault: Vault) -> None:
        if self._pace.whole_is_due or journal.partial or journal is not self._journal:
            self._journal = journal
            snapshot, self._layout = journal.checkpoint()
            self._write(snapshot, vault)
            return
        try:
            assert self._writer is not None
            self._log.append(self._base, self._layout, journal.changes(), self._writer)
            self._pace.logged = self._log.size
        except OSError as error:
            self._pace.broken = True  # a half line may be there
            self._log.close()
            raise self._unsaved(error) from error

    def _write(self, snapshot: Snapshot, vault: Vault) -> None:
        if self._writer is None or self._writer.vault is not vault:
            self._writer = Writer(f"organization/{self.project}/{self.stack}", vault)
        try:
            meta = self._home / "meta.yaml"
            if not meta.exists():
                make_folder(meta.parent)
                replace_file(meta, _META)
            make_folder(self.path.parent)
            begun = time.monotonic()
            content = self._writer.encode(snapshot)
            replace_file(self.path, content, backup=self.backup)
            self._log.remove()
            self._pace.saved(len(content), seconds=time.monotonic() - begun)
            self._base = sha256(content).hexdigest() if self._pace.is_large else ""
        except OSError as error:
            self._pace.broken = True
            self._log.close()  # what it has still counts, but nothing is added to it
            raise self._unsaved(error) from error
        try:
            verify(snapshot.resources)  # after writing, like the CLI: what was done is worth more than a tidy file
        except StateError as error:
            raise StateError(self._damaged(f"saved, but {error}")) from error

    def _unsaved(self, error: OSError) -> EngineError:
        kept = "still holds the state before" if self.exists() else "was not made"
        return EngineError(
            f"could not save the state: {error.strerror} ({self.path}). The file {kept}; make room or mend the "
            "folder, then run the command again"
        )

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
        """One entry of the history, with a copy of the checkpoint. Times are Unix seconds. Raises EngineError."""
        entry = {
            "kind": kind,
            "startTime": int(start),
            "message": message,
            "environment": {},
            "config": dict(config),
            "version": 0,
            "result": "succeeded" if succeeded else "failed",
            "endTime": int(end),
            "resourceChanges": dict(changes),
        }
        folder = self._history
        prefix = f"{self.stack}-{time.time_ns()}"
        try:
            make_folder(folder)
            replace_file(folder / f"{prefix}.history.json", json.dumps(entry, indent=4).encode())
            replace_file(folder / f"{prefix}.checkpoint.json", self.path.read_bytes())
        except OSError as error:
            raise EngineError(f"could not write the history: {error.strerror} ({folder})") from error

    def _check_layout(self) -> None:
        """Refuses what the official CLI can make of a file backend and this engine does not read."""
        meta = self._home / "meta.yaml"
        stacks = self._home / "stacks"
        legacy = (stacks / f"{self.stack}.json").exists() and not meta.exists()
        if legacy or (meta.exists() and meta.read_bytes().split() != _META.split()):
            raise EngineError(f"{stacks}: a layout that is not version 1: run `pulumi state upgrade` once")
        for suffix in (".gz", ".zst"):
            packed = self.path.with_name(self.path.name + suffix)
            if packed.exists():
                raise EngineError(
                    f"{packed}: a compressed state; unset PULUMI_DIY_BACKEND_GZIP and _ZSTD and run the pulumi CLI once"
                )

    def _damaged(self, reason: str) -> str:
        message = f"{self.path} can't be used: {reason}."
        copy = next(filter(is_whole, self._copies()), None)
        if copy is None:
            return f"{message} There is no whole copy of it ({self.backup.name}, or in {self._history})"
        kept = "The state before the last save is beside it" if copy == self.backup else "A run before it left a copy"
        return f"{message} {kept}; to go back: cp '{copy}' '{self.path}'"

    def _damaged_log(self, error: StepsError) -> StateError:
        log = log_of(self.path)
        return StateError(f"{self.path} can't be used: {error}. To go back to the last whole save: rm '{log}'")

    def _copies(self) -> Iterator[Path]:
        """The newest first. Those of the history are named by the time of their run."""
        yield self.backup
        yield from sorted(self._history.glob(f"{self.stack}-*.checkpoint.json"), reverse=True)


def _local_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise EngineError(f"{url}: the embedded engine keeps its state in files (file://…): "
                          "use the pulumi CLI for shared state")  # fmt: skip
    return Path(unquote(parts.netloc + parts.path)).expanduser().absolute()
