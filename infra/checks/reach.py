"""How a check reaches an application's slice, and how it fails."""

from dataclasses import dataclass
from typing import Any

from components import trust
from components.slices.errors import SliceError
from infra.access import reached, trouble
from infra.choices import ViewName
from infra.contract import Backend, BackendName, Credential, StackContract, View

SECONDS = 5  # for connecting, and for each answer


class FailedError(Exception):
    """A check failed: what is wrong, without any secret, and in `hint` what to do about it."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True)
class Reach:
    """One application's slice of one backend, seen from one place."""

    contract: StackContract
    application: str
    backend: BackendName
    from_: ViewName

    @property
    def view(self) -> View:
        """Raises FailedError."""
        view = self.server.views.get(self.from_) if self.server else None
        if view is None:
            raise FailedError(f"the stack has no view `{self.from_}` of it", "choose another one with --from")
        return view

    @property
    def server(self) -> Backend | None:
        return self.contract.server(self.application, self.backend)

    @property
    def ca(self) -> str | None:
        """What the server's certificate is verified with, where it speaks TLS."""
        return self.server.ca if self.server else None

    def address(self, *, grpc: bool = False) -> tuple[str, int]:
        """Host and port to connect to from here. Raises FailedError."""
        try:
            return reached(self.view, grpc=grpc)
        except SliceError as error:
            raise FailedError(str(error), "log in to the cluster") from None

    @property
    def slice(self) -> Any:
        return getattr(self.contract.applications[self.application], self.backend)

    @property
    def credential(self) -> Credential:
        """Raises FailedError."""
        found: Credential | None = getattr(self.contract.credentials.get(self.application), self.backend, None)
        if found is None:
            raise FailedError("the stack's outputs hold no password of it", "ask who may read the stack's secrets")
        return found

    def unreachable(self, reason: object, complaint: str | None = None) -> FailedError:
        """Nobody answers, or nobody that can be trusted: then `complaint` says why, if `reason` does not."""
        where = f"{self.view.host}:{self.view.port}"
        hint = "`strata up` starts it; its log says why it stopped"
        if complaint := complaint or trust.complaint(reason):
            return FailedError(f"{where}: {complaint}", "")
        if closed := trouble(self.view):
            return FailedError(f"no answer at {where}: {closed}", hint)
        return FailedError(f"no answer at {where}: {' '.join(str(reason).split())}", hint)

    def refused(self) -> FailedError:
        hint = f"`strata up` gives it the current password; then `strata config {self.application}` for the application"
        return FailedError(f"the password of `{self.credential.username}` is refused", hint)
