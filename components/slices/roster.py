"""The arguments that the rosters of all backends share."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.slices.admin import AdminRef


@dataclass(frozen=True, kw_only=True)
class RosterArgs:
    """The complete list of logins that Strata's users may have on a backend.

    Every other login that Strata once made there is revoked and its sessions ended: `destroy` skips deletes inside a
    backend that goes with them, so an application that was removed in between would keep its password otherwise.
    Logins that Strata did not make are never touched.
    """

    admin: AdminRef
    identity: pulumi.Input[str]
    logins: Sequence[pulumi.Input[str]]
