"""What a run of the engine is told: where the stack is, and what the user wants."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.events import Result
from engine.policy_pack import PackChoice


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where a stack's program, configuration and state are."""

    root: Path  # the folder with Pulumi.yaml
    stack: str
    backend_url: str  # file://…
    passphrase: str = field(repr=False)
    config_file: Path | None = None  # default: Pulumi.<stack>.yaml where the project keeps it


@dataclass(frozen=True, kw_only=True)
class Options:
    """`confirm` is shown a preview's result and says whether to go on; without it nothing is asked."""

    parallel: int = field(default_factory=lambda: 4 * (os.cpu_count() or 1))  # as the official CLI
    expect_no_changes: bool = False
    refresh: bool = False  # read every resource first
    targets: tuple[str, ...] = ()  # URNs, or patterns of them (see engine.selection): nothing else is touched
    target_dependents: bool = False  # and what depends on them
    clear_pending_creates: bool = False  # of a refresh: forgets creates that an earlier run was killed in
    continue_on_error: bool = False  # of steps: others go on, and the run fails all the same
    policy_packs: tuple[PackChoice, ...] = ()  # for `preview` and `up`
    confirm: Callable[[Result], bool] | None = None
