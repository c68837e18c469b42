"""What another stack of the same backend exports, for a StackReference."""

import json
from collections.abc import Callable
from typing import Any

from engine.backend import StackFiles
from engine.checkpoint import decode_outputs, salt_of
from engine.errors import EngineError
from engine.providers.base import ProviderError
from engine.providers.builtin import StackOutputs
from engine.secrets import PassphraseError, Vault


class StackReader:
    """Reads stacks of one backend with one passphrase, like the official CLI."""

    def __init__(self, url: str, project: str, passphrase: str, say: Callable[[str], None]) -> None:
        """`project` is the one that a bare stack name belongs to; `say` is told what is left out."""
        self._url, self._project, self._passphrase, self._say = url, project, passphrase, say

    def read(self, reference: str) -> StackOutputs:
        """The exports of "<stack>", "organization/<stack>" or "organization/<project>/<stack>".

        Those whose secrets this passphrase does not open are left out. Raises ProviderError for a stack that is not
        there or cannot be read.
        """
        organization, project, stack = _parts(reference, self._project)
        if organization != "organization":
            raise ProviderError(
                f"stack reference {reference!r}: the organization of a file backend is called 'organization': write "
                f"organization/{project}/{stack}"
            )
        try:
            files = StackFiles(self._url, project, stack)
            if not files.exists():
                raise ProviderError(f"stack reference {reference!r}: no such stack ({files.path} does not exist)")
            document = json.loads(files.path.read_bytes())
            found = StackOutputs(*decode_outputs(document, self._vault(document, str(files.path))))
        except (EngineError, OSError, ValueError) as error:
            raise ProviderError(f"stack reference {reference!r}: {error}") from error
        if found.locked:
            self._say(
                f"stack reference {reference!r}: its outputs {', '.join(found.locked)} are left out, since they are "
                "secret and the passphrase of this run does not open them: give both stacks one passphrase"
            )
        return found

    def _vault(self, document: Any, where: str) -> Vault | None:
        """None if the passphrase is another one, or the stack has no secrets. Raises EngineError."""
        salt = salt_of(document)
        try:
            return Vault.open(self._passphrase, salt, where=where) if salt else None
        except PassphraseError:
            return None


def _parts(reference: str, project: str) -> tuple[str, str, str]:
    match reference.split("/"):
        case [stack]:
            return "organization", project, stack
        case [organization, stack]:
            return organization, project, stack
        case [organization, other, stack]:
            return organization, other, stack
    raise ProviderError(f"stack reference {reference!r}: write organization/<project>/<stack>")
