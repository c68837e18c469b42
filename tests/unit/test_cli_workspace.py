"""Where a stack lives: the environment's word, the defaults, and the passphrase that is never made twice."""

import stat
import threading
from pathlib import Path

import pytest

from infra.workspace import Workspace, WorkspaceError, find


@pytest.fixture(autouse=True)
def _own_state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "Pulumi.yaml").write_text("name: strata\nruntime: python\n")
    return root


def workspace(root: Path, **environ: str) -> Workspace:
    return find("dev", start=root, environ=environ)


def test_the_root_is_found_from_below(root: Path) -> None:
    assert find("dev", start=root / "deep" / "er", environ={}).root == root


def test_outside_a_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"no Pulumi\.yaml in .* or above it"):
        find("dev", start=tmp_path, environ={})


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "a b", "x" * 101, "dev\n"])
def test_a_name_that_is_no_stacks_is_refused(root: Path, name: str) -> None:
    with pytest.raises(WorkspaceError, match="cannot be a stack's name"):
        find(name, start=root, environ={})


def test_the_backend_is_the_environments_then_the_projects_then_the_users(root: Path, tmp_path: Path) -> None:
    assert workspace(root).backend_url == f"file://{tmp_path}/state/strata"
    (root / "Pulumi.yaml").write_text("name: strata\nruntime: python\nbackend:\n  url: file:///project\n")
    assert workspace(root).backend_url == "file:///project"
    assert workspace(root, PULUMI_BACKEND_URL="s3://env").backend_url == "s3://env"


def test_only_file_backends_have_a_state_file(root: Path) -> None:
    given = workspace(root, PULUMI_BACKEND_URL="file:///there")
    assert given.state_file == Path("/there/.pulumi/stacks/strata/dev.json")
    assert workspace(root, PULUMI_BACKEND_URL="https://api.pulumi.com").state_file is None


def test_a_new_stack_gets_a_private_random_passphrase_once(root: Path) -> None:
    first = workspace(root)
    path = first.create_passphrase()
    assert path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert root not in path.parents, "the passphrase would lie in the checkout"
    text = first.passphrase()
    assert len(text) >= 40
    assert first.create_passphrase() is None
    assert first.passphrase() == text
    assert first.passphrase_variables() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)}
    assert text != workspace_passphrase_of_another_stack(root)


def workspace_passphrase_of_another_stack(root: Path) -> str:
    other = find("other", start=root, environ={})
    other.create_passphrase()
    return other.passphrase()


def test_of_many_at_once_one_makes_the_passphrase_and_all_read_it(root: Path) -> None:
    made: list[Path | None] = []
    read: list[str] = []
    barrier = threading.Barrier(8)

    def run() -> None:
        own = workspace(root)
        barrier.wait()
        made.append(own.create_passphrase())
        read.append(own.passphrase())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([path for path in made if path]) == 1
    assert len(set(read)) == 1
    assert read[0]


def test_a_stack_with_a_state_gets_no_new_passphrase(root: Path) -> None:
    own = workspace(root)
    assert own.state_file
    own.state_file.parent.mkdir(parents=True)
    own.state_file.write_text("{}")
    with pytest.raises(WorkspaceError, match=r"passphrase file .*/passphrase/dev is gone"):
        own.create_passphrase()


def test_the_environments_passphrase_wins(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("from-file\n")
    both = workspace(root, PULUMI_CONFIG_PASSPHRASE="", PULUMI_CONFIG_PASSPHRASE_FILE=str(file))
    assert both.passphrase() == "", "an empty passphrase is a legal one"
    only_file = workspace(root, PULUMI_CONFIG_PASSPHRASE_FILE=str(file))
    assert only_file.passphrase() == "from-file"
    for given in (both, only_file):
        assert given.create_passphrase() is None
        assert given.passphrase_variables() == {}
    assert not both.passphrase_file.exists()


def test_shared_state_gets_no_passphrase_of_this_host(root: Path) -> None:
    shared = workspace(root, PULUMI_BACKEND_URL="s3://states")
    assert shared.create_passphrase() is None
    assert shared.passphrase_variables() == {}


def test_a_missing_passphrase_names_its_file(root: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"/passphrase/dev does not exist"):
        workspace(root).passphrase()
    with pytest.raises(WorkspaceError, match="/nowhere does not exist"):
        workspace(root, PULUMI_CONFIG_PASSPHRASE_FILE="/nowhere").passphrase()


def test_a_workspace_does_not_print_its_environment(root: Path) -> None:
    assert "hunter2" not in repr(workspace(root, PULUMI_CONFIG_PASSPHRASE="hunter2"))
