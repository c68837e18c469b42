"""Projects and stack files for tests."""

from pathlib import Path
from textwrap import dedent, indent

from engine.project import Project, load_project


def section(config: str) -> str:
    return "config:\n" + indent(dedent(config), "  ") if config else ""


def project(root: Path, config: str = "", head: str = "name: shop\nruntime: python\n") -> Project:
    (root / "Pulumi.yaml").write_text(head + section(config))
    return load_project(root)
