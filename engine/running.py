"""Running the program of a pass: it registers its resources at the monitor until it ends or the run is stopped."""

from collections.abc import Callable

from engine.config import StackConfig
from engine.deployment import Deployment
from engine.execution import Run
from engine.monitor import Engine, Monitor, serve
from engine.program import Program
from engine.project import Project

_POLL = 0.2  # seconds between looks at whether a run was stopped


def run_program(
    program: Program,
    deployment: Deployment,
    run: Run,
    *,
    project: Project,
    stack: str,
    config: StackConfig,
    parallel: int,
    meanwhile: Callable[[], None],
) -> None:
    """`meanwhile` is called every now and then. What goes wrong is told to `run`."""
    engine = Engine(run)
    monitor = Monitor(deployment, run, project.root, project.name, stack, parallel)

    def printed(line: str, errors: bool) -> None:
        if line and not run.stop.is_set():
            run.reporter.message("info", line, deployment.root)

    with serve(monitor, engine) as address:
        settings = {
            "monitor": address,
            "engine": address,
            "project": project.name,
            "stack": stack,
            "parallel": parallel,
            "dry_run": run.dry,
            "organization": "organization",
            "root_directory": str(project.root),
        }
        program.run(settings, config.environment(), printed)
        try:
            code = program.ended(_POLL)
            while code is None and not run.stop.is_set():
                meanwhile()
                code = program.ended(_POLL)
        finally:
            program.stop()
    if code and not run.stop.is_set() and not engine.logged_error:
        run.fail(f"the program exited with code {code}", deployment.root)
    elif code or engine.logged_error:
        run.stop.set()  # what it did not register is not to be deleted
