"""The rules that keep the project simple (docs/adr, CONTRIBUTING.md), checked on the source itself.

Every checker is also tried on a sample that breaks its rule: one that cannot fail would protect nothing.
"""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("applications", "bench", "cli", "components", "engine", "images", "infra", "policies")

# Package → the project's packages that it may import besides itself.
MAY_IMPORT = {
    "applications": set[str](),
    "bench": {"components", "engine", "images", "infra", "policies"},
    "cli": {"components", "engine", "images", "infra", "policies"},
    "components": set[str](),
    "engine": set[str](),
    "images": set[str](),
    "infra": {"components", "engine", "images"},
    "policies": set[str](),
}
LONGEST_MODULE = 300
LONGEST_MAIN = 60


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def imported(tree: ast.AST) -> Iterator[str]:
    """Absolute names of everything imported, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def relative_imports(tree: ast.AST) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level > 0]


def foreign_packages(tree: ast.AST, package: str) -> set[str]:
    """The project's packages that a module of `package` imports and must not."""
    used = {name.partition(".")[0] for name in imported(tree)} & set(PACKAGES)
    return used - MAY_IMPORT[package] - {package}


def reads_config(tree: ast.AST) -> bool:
    """Whether a module reads the stack's configuration through Pulumi's SDK."""
    readers = {"Config", "get_config", "get_config_env"}
    named = any(name.startswith("pulumi") and name.rpartition(".")[2] in readers for name in imported(tree))
    return named or any(
        isinstance(node, ast.Attribute)
        and node.attr in readers
        and ast.unparse(node).split(".")[0].startswith("pulumi")
        for node in ast.walk(tree)
    )


def branches_on_platform(tree: ast.AST) -> bool:
    """Whether a module compares a `kind` with a platform's name, or asks for the class of a platform's settings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.match_case):
            words = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            if words & {"docker", "kubernetes"}:
                return True
        if isinstance(node, ast.Call | ast.MatchClass):
            called = node.func if isinstance(node, ast.Call) else node.cls
            text = ast.unparse(node)
            is_test = isinstance(node, ast.MatchClass) or ast.unparse(called) in ("isinstance", "type")
            if is_test and re.search(r"\b(Docker|Kubernetes)(Settings|Platform)\b", text):
                return True
    return False


def shadowed(names: set[str]) -> set[str]:
    """Names that a standard module or a dependency has too."""
    others = {name for name, owners in packages_distributions().items() if set(owners) != {"strata-storage"}}
    return names & (set(sys.stdlib_module_names) | others)


def addresses(lock: str) -> list[str]:
    """Lines of a lock file that say where to download from, instead of what."""
    where = re.compile(
        r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b|^[^#]*\bhttps?://", re.MULTILINE
    )
    return [line for line in lock.splitlines() if where.search(line)]


def too_long(paths: list[Path], limit: int) -> list[Path]:
    return [path for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > limit]


def test_only_settings_reads_the_configuration() -> None:
    # The engine hands the configuration to the program; it reads none.
    readers = [path for path in modules(*set(PACKAGES) - {"engine"}) if reads_config(parse(path))]
    assert shown(readers) == ["infra/settings.py"]


def test_only_platforms_branches_on_the_platform() -> None:
    packages = ("applications", "cli", "components", "infra")
    branching = [path for path in modules(*packages) if branches_on_platform(parse(path))]
    assert shown(branching) == ["infra/platforms.py"]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_lies_below_them(package: str) -> None:
    wrong = {str(path): foreign_packages(parse(path), package) for path in modules(package)}
    assert {path: names for path, names in wrong.items() if names} == {}


@pytest.mark.parametrize(("platform", "other"), [("docker", "kubernetes"), ("kubernetes", "docker")])
def test_platforms_do_not_know_each_other(platform: str, other: str) -> None:
    wrong = [
        path
        for path in modules(f"components/{platform}")
        if any(name.startswith(f"components.{other}") for name in imported(parse(path)))
    ]
    assert shown(wrong) == []


def test_imports_are_absolute() -> None:
    assert shown([path for path in modules(*PACKAGES, "tests") if relative_imports(parse(path))]) == []


def test_modules_are_short() -> None:
    assert shown(too_long(modules(*PACKAGES, "tests"), LONGEST_MODULE)) == []
    assert shown(too_long([ROOT / "infra" / "__main__.py"], LONGEST_MAIN - 1)) == []


def test_nothing_on_the_search_path_shadows_another_module() -> None:
    # A program's folder is on sys.path while it runs, and so is the root in tests.
    for folder in (ROOT, ROOT / "infra", ROOT / "policies"):
        inside = {path.parent.name for path in folder.glob("*/__init__.py")} | {
            path.stem for path in folder.glob("*.py")
        }
        assert shadowed(inside) == set(), folder


def test_the_lock_file_names_no_server() -> None:
    assert addresses((ROOT / "requirements.lock").read_text(encoding="utf-8")) == []


def test_every_decision_is_in_the_table() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(re.findall(r"\]\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_every_folder_is_in_the_contributors_table() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `([a-z]+)/`", text, re.MULTILINE))
    assert described >= {*PACKAGES, "docs", "scripts", "tests"}
    assert {name for name in described if not (ROOT / name).is_dir()} == set()


@pytest.mark.parametrize(
    "source",
    [
        "import pulumi\nprefix = pulumi.Config('strata').get('prefix')",
        "from pulumi import Config",
        "from pulumi.runtime import get_config_env",
    ],
)
def test_the_checker_sees_a_configuration_that_is_read(source: str) -> None:
    assert reads_config(ast.parse(source))
    assert not reads_config(ast.parse("from pydantic import BaseModel\nConfig = BaseModel"))


@pytest.mark.parametrize(
    "source",
    [
        "x = 1 if platform.kind == 'docker' else 2",
        "if settings.kind in ('kubernetes',): pass",
        "match kind:\n    case 'docker': pass",
        "isinstance(settings.platform, DockerSettings)",
        "match platform:\n    case KubernetesSettings(): pass",
    ],
)
def test_the_checker_sees_a_branch_on_the_platform(source: str) -> None:
    assert branches_on_platform(ast.parse(source))
    assert not branches_on_platform(ast.parse("kind: Literal['docker']\nDockerPlatform('docker')"))


def test_the_checker_sees_imports_that_point_the_wrong_way() -> None:
    assert foreign_packages(ast.parse("from components.naming import physical"), "engine") == {"components"}
    assert foreign_packages(ast.parse("def f():\n    import infra.settings"), "components") == {"infra"}
    assert foreign_packages(ast.parse("import engine.api, pulumi"), "infra") == set()
    assert "components.kubernetes.redis" in set(imported(ast.parse("from components.kubernetes import redis")))
    assert relative_imports(ast.parse("\nfrom . import naming")) == [2]


def test_the_checker_sees_names_that_shadow_others() -> None:
    assert shadowed({"secrets", "docker", "platforms", "infra"}) == {"secrets", "docker"}


def test_the_checker_sees_addresses_in_a_lock_file() -> None:
    lock = (
        "--index-url example\nredis==6.0 \\\n    --hash=sha256:00\n-i x\nx @ https://example.org/x.whl\n# via https\n"
    )
    assert addresses(lock) == ["--index-url example", "-i x", "x @ https://example.org/x.whl"]


def test_the_checker_sees_long_modules(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("#\n" * 301)
    (tmp_path / "right.py").write_text("#\n" * 300)
    assert [path.name for path in too_long(sorted(tmp_path.iterdir()), LONGEST_MODULE)] == ["long.py"]
