"""The pinned official images: nothing invented, nothing floating, nothing unpinned in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from images import ImageError, daemon, lock, recipes, source_name

DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "lock.yaml"
    copy.write_text(lock.LOCK.read_text())
    return copy


def replace_line(path: Path, key: str, value: str) -> None:
    """Gives the first `key` in the file, which is Postgres', another value."""
    lines = path.read_text().splitlines()
    index = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
    lines[index] = f"    {key}: {value}"
    path.write_text("\n".join(lines) + "\n")


def test_every_local_image_has_an_official_counterpart_of_the_same_version() -> None:
    locked = lock.load()
    for name, recipe in recipes.load().items():
        assert recipe.version in locked[name], f"a stack could not move from local to registry images of {name}"


def test_a_pinned_image_is_pulled_by_digest() -> None:
    assert source_name("postgres", "17").startswith("docker.io/library/postgres:17")
    assert "@sha256:" in source_name("postgres", "17", digest_required=True)


def test_production_refuses_an_unread_digest_and_says_how_to_read_it(path: Path) -> None:
    replace_line(path, "digest", "null")
    replace_line(path, "read", "null")
    assert "@" not in source_name("postgres", "17", path=path)
    with pytest.raises(ImageError, match=r"`postgres\.17\.digest` is null.*strata images lock"):
        source_name("postgres", "17", digest_required=True, path=path)


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImageError, match='no image for postgres 12; versions of postgres there: "17"'):
        source_name("postgres", "12")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("digset", DIGEST, r"unknown key `postgres\.17\.digset`; known here: sources, tag, digest"),
        ("read", "null", "a digest says where it was read"),
        ("digest", "sha256:short", r"`postgres\.17\.digest`"),
        ("tag", "latest", "name a version"),
        ("sources", "[]", r"`postgres\.17\.sources`"),
        ("end_of_life", "soon", r"`postgres\.17\.end_of_life`"),
    ],
)
def test_a_mistake_is_named_with_its_key(path: Path, key: str, value: str, message: str) -> None:
    if key == "digset":
        path.write_text(path.read_text().replace("    digest:", "    digset:", 1))
    else:
        replace_line(path, key, value)
    with pytest.raises(ImageError, match=message):
        lock.load(path)


def test_broken_yaml_is_one_message(path: Path) -> None:
    path.write_text("postgres: [")
    with pytest.raises(ImageError, match=r"lock\.yaml"):
        lock.load(path)


class Registry:
    """Answers as a Docker daemon with a registry behind it would."""

    def __init__(self, digests: dict[str, str | None]) -> None:
        self._digests = digests

    def registry_digest(self, image: str) -> str | None:
        return self._digests[image]


def test_renewing_writes_changed_digests_with_their_origin_and_leaves_all_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lock.load(path)
    postgres = before["postgres"]["17"]
    known = {f"{image.sources[0]}:{image.tag}": image.digest for name in before.values() for image in name.values()}
    registry = Registry({**known, f"{postgres.sources[0]}:{postgres.tag}": DIGEST})

    @contextmanager
    def connect(docker_host: str | None = None) -> Iterator[Registry]:
        yield registry

    monkeypatch.setattr(daemon, "connect", connect)
    text = path.read_text()
    messages: list[str] = []

    assert lock.renew(messages.append, path=path)

    after = lock.load(path)
    assert after["postgres"]["17"].digest == DIGEST
    assert "docker.io, 20" in (after["postgres"]["17"].read or "")
    assert after["redis"] == before["redis"]
    changed = [line for line in path.read_text().splitlines() if line not in text.splitlines()]
    assert len(changed) == 2, "comments and layout must survive"
    assert not lock.renew(messages.append, path=path), "nothing changed the second time"
