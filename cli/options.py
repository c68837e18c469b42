"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from cli.state import EngineName

StackOption = Annotated[
    str, typer.Option("--stack", "-s", envvar="STRATA_STACK", help="Which stack: its YAML is Pulumi.<stack>.yaml.")
]
JsonOption = Annotated[bool, typer.Option("--json", "-j", help="One JSON document on stdout; text goes to stderr.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
ParallelOption = Annotated[
    int | None, typer.Option("--parallel", "-p", min=1, metavar="N", help="Operations at once; default 4 per core.")
]
ExpectNoChangesOption = Annotated[
    bool, typer.Option("--expect-no-changes", help="Exit 7 if anything changes; `up` applies it all the same.")
]

RefreshOption = Annotated[
    bool, typer.Option("--refresh", help="First ask every resource what it is now, so that drift is repaired.")
]
TargetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="URN",
        help="Only this resource: its URN, or a pattern such as '**::NAME'. May be repeated. The rest stays as it is.",
    ),
]
TargetDependentsOption = Annotated[
    bool, typer.Option("--target-dependents", help="With --target: and everything that depends on it.")
]
ContinueOnErrorOption = Annotated[
    bool,
    typer.Option(
        "--continue-on-error", help="When a resource fails, go on with what does not depend on it; exit 1 all the same."
    ),
]
ClearPendingCreatesOption = Annotated[
    bool,
    typer.Option(
        "--clear-pending-creates", help="Forget creations that a killed run left open; look after them first."
    ),
]
PolicyPackOption = Annotated[
    list[Path] | None,
    typer.Option("--policy-pack", metavar="DIR", help="A policy pack to check with; default: policies."),
]
PolicyPackConfigOption = Annotated[
    list[Path] | None,
    typer.Option("--policy-pack-config", metavar="FILE", help="JSON with the levels of the pack's policies."),
]
DiffOption = Annotated[bool, typer.Option("--diff", help="Show each changed property, by its path.")]
DeleteDataOption = Annotated[
    list[str] | None,
    typer.Option("--delete-data", metavar="VOLUME", help="Delete this volume with its data, too. May be repeated."),
]

# `strata` picks one by itself; a stack that the other one wrote needs the word once.
EngineOption = Annotated[
    EngineName | None,
    typer.Option("--engine", help="Default: the pulumi CLI where it and its plugins are, else embedded."),
]
