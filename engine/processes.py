"""The processes of a pass: the program and its policy packs. They import the SDK while other things go on."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.pack_process import PackProcess
from engine.policy_pack import PolicyPack
from engine.program import Program
from engine.project import Project


@dataclass(frozen=True)
class ProcessSet:
    program: Program
    packs: tuple[PackProcess, ...]

    def stop(self) -> None:
        self.program.stop()
        for pack in self.packs:
            pack.stop()


class Processes:
    """Has one set of processes on its way as soon as it is made. Each pass takes a set of its own."""

    def __init__(self, project: Project, packs: Sequence[PolicyPack]) -> None:
        self._project, self._packs = project, packs
        self._warm: ProcessSet | None = None
        self.warm()

    def warm(self) -> None:
        """Starts the next set, unless it is on its way."""
        if self._warm is None:
            program = Program(self._project.python, self._project.program)
            self._warm = ProcessSet(program, tuple(PackProcess(pack) for pack in self._packs))

    def take(self) -> ProcessSet:
        """Whoever takes it stops it."""
        self.warm()
        taken, self._warm = self._warm, None
        assert taken is not None
        return taken

    def stop(self) -> None:
        if self._warm is not None:
            self._warm.stop()
