"""The certificate that a server shows: how long it is still valid."""

import time
from datetime import UTC, datetime
from typing import Final

from components import trust
from components.slices.errors import SliceError
from infra.access import reached, trouble
from infra.checks.reach import SECONDS, FailedError
from infra.choices import ViewName
from infra.contract import Backend

DAYS: Final = 30  # left, at least


def valid(server: Backend, view: ViewName, *, postgres: bool) -> str:
    """Days that are left. Raises FailedError under 30, or when it can't be trusted."""
    assert server.ca is not None
    if view not in server.views:
        raise FailedError(f"there is no view `{view}` of it", "choose another one with --from")
    try:
        host, port = reached(server.views[view])
        ends = trust.end(host, port, server.ca, timeout=SECONDS, request=trust.POSTGRES if postgres else b"")
    except SliceError as error:
        raise FailedError(str(error), "log in to the cluster") from None
    except OSError as error:
        if complaint := trust.complaint(error):
            raise FailedError(complaint, "") from None
        where = server.views[view]
        text = trouble(where) or f"no answer at {where.host}:{where.port}: {error}"
        raise FailedError(text, "`strata up` starts it; its log says why it stopped") from None
    days = int((ends - time.time()) / 86400)
    when = f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%d}, in {days} days"
    if days < DAYS:
        raise FailedError(f"its certificate ends on {when}", "`strata up` makes another one")
    return f"its certificate ends on {when}"
