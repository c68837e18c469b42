"""The providers of a run, and what they may know of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from engine.config import StackConfig
from engine.events import Severity
from engine.options import Workspace
from engine.plugins import DYNAMIC, Plugins, pickles
from engine.project import Project
from engine.providers import Host
from engine.stack_outputs import StackReader
from engine.state import Snapshot


@contextmanager
def opened_plugins(
    workspace: Workspace,
    project: Project,
    config: StackConfig,
    before: Snapshot,
    note: Callable[[str, Severity], None],
    stopping: Callable[[], bool],
    idle: Callable[[], AbstractContextManager[None]],
) -> Iterator[Plugins]:
    """Those that the state knows get ready while the program starts. `note` is told what providers say.

    `stopping`: whether the user has asked to stop. `idle`: around what only waits.
    """
    pickled = tuple(dict.fromkeys(pickles(before)))
    reader = StackReader(workspace.backend_url, project.name, workspace.passphrase, lambda text: note(text, "warning"))
    host = Host(
        project=project.name,
        program=project.program,
        python=project.python,
        say=note,
        pickles=pickled,
        outputs_of=reader.read,
        idle=idle,
        stopping=stopping,
    )
    plugins = Plugins(host)
    try:
        if pickled:  # their host needs as long to start as the program does: let it start beside it
            plugins.of_package(DYNAMIC, config.as_properties())
        threading.Thread(target=plugins.prepare, args=(before,), daemon=True).start()
        yield plugins
    finally:
        plugins.close()
