"""The secret's two copies, written through the daemon by a user who need not be root."""

import secrets
from collections.abc import Iterator

import docker
import pytest

import images
from components.secretfiles import previous_secrets, read_secret, secret_path
from components.slices import SliceError
from components.slices.resource import Props
from components.slices.secret_file import HELPER, SecretFileProvider
from tests.slices.servers import LABEL, STACK

PROVIDER = SecretFileProvider()
FILES = {"plain": "plain", "verifier": "scram-verifier", "hash": "sha256"}


@pytest.fixture
def props(client: docker.DockerClient) -> Iterator[Props]:
    name = f"slices-secret-{secrets.token_hex(4)}"
    client.volumes.create(name, labels={LABEL: "1"})
    image = images.local_name("redis", "8")
    yield {
        "stack": STACK,
        "secret": name,
        "content": "a:b\\c",
        "volume": name,
        "image": image,
        "files": FILES,
        "uid": 999.0,
        "gid": 999.0,
        "labels": {LABEL: "1"},
    }
    for container in client.containers.list(all=True, filters={"volume": name}):
        container.remove(force=True, v=True)  # with what its image declares
    client.volumes.get(name).remove(force=True)


class Reader:
    """A container that mounts the volume as a backend's does."""

    def __init__(self, client: docker.DockerClient, props: Props) -> None:
        self._container = client.containers.run(
            props["image"],
            entrypoint=["sleep", "600"],
            detach=True,
            labels={LABEL: "1"},
            network_mode="none",
            volumes={props["volume"]: {"bind": "/run/strata/secrets", "mode": "ro"}},
        )

    def run(self, command: str, uid: int = 999) -> tuple[int, str]:
        code, output = self._container.exec_run(["sh", "-c", command], user=f"{uid}:{uid}")
        assert isinstance(output, bytes)
        assert isinstance(code, int)
        return code, output.decode()


def helpers(client: docker.DockerClient, props: Props) -> list[object]:
    return list(client.containers.list(all=True, filters={"label": f"{HELPER}={props['volume']}"}))


def made(props: Props) -> Props:
    outputs = PROVIDER.create(props).outs
    assert outputs is not None
    return outputs


@pytest.mark.docker
def test_both_copies_hold_what_was_asked_and_only_their_reader_reads_them(
    client: docker.DockerClient, props: Props
) -> None:
    outputs = made(props)
    assert read_secret(STACK, props["secret"]) == "a:b\\c"
    reader = Reader(client, props)
    assert reader.run("cat /run/strata/secrets/plain") == (0, "a:b\\c")
    assert reader.run("cat /run/strata/secrets/verifier")[1].startswith("SCRAM-SHA-256$4096:")
    assert len(reader.run("cat /run/strata/secrets/hash")[1]) == 64
    modes = reader.run("stat -c '%a %u %g' /run/strata/secrets/*")[1]
    assert set(modes.splitlines()) == {"400 999 999"}
    assert reader.run("cat /run/strata/secrets/plain", uid=1000)[0] != 0
    assert "a:b" not in str(outputs), "the secret is in the outputs"
    assert helpers(client, props) == []


@pytest.mark.docker
def test_nothing_changes_nothing_and_the_digest_is_stable(props: Props) -> None:
    outputs = made(props)
    assert PROVIDER.diff("", outputs, props).changes is False
    again = PROVIDER.update("", outputs, props).outs or {}
    assert again["digest"] == outputs["digest"], "containers would be replaced for nothing"


@pytest.mark.docker
def test_another_secret_is_another_digest(props: Props) -> None:
    outputs, wanted = made(props), {**props, "content": "new"}
    assert PROVIDER.diff("", outputs, wanted).changes is True
    updated = PROVIDER.update("", outputs, wanted).outs or {}
    assert updated["digest"] != outputs["digest"]
    assert read_secret(STACK, props["secret"]) == "new"


@pytest.mark.docker
def test_a_lost_or_changed_copy_on_the_host_is_written_again(props: Props) -> None:
    outputs = made(props)
    path = secret_path(STACK, props["secret"])
    path.write_text("tampered")
    assert PROVIDER.diff("", outputs, props).changes is True
    path.unlink()
    assert PROVIDER.diff("", outputs, props).changes is True
    assert PROVIDER.read("id", outputs).id == "", "a refresh must not call it there"
    updated = PROVIDER.update("", outputs, props).outs or {}
    assert PROVIDER.diff("", updated, props).changes is False


@pytest.mark.docker
def test_a_volume_made_anew_is_written_again(client: docker.DockerClient, props: Props) -> None:
    outputs = made(props)
    outputs["volume_created"] = "2001-01-01T00:00:00Z"
    assert PROVIDER.diff("", outputs, props).changes is True
    updated = PROVIDER.update("", outputs, props).outs or {}
    assert PROVIDER.diff("", updated, props).changes is False


@pytest.mark.docker
def test_a_helper_that_a_killed_run_left_is_removed(client: docker.DockerClient, props: Props) -> None:
    label = {HELPER: props["volume"], LABEL: "1"}
    mounts = {props["volume"]: {"bind": "/x", "mode": "rw"}}
    client.containers.create(props["image"], labels=label, volumes=mounts)
    outputs = made(props)
    assert helpers(client, props) == []
    client.containers.create(props["image"], labels=label, volumes=mounts)
    PROVIDER.delete("", outputs)
    assert helpers(client, props) == [], "it would keep the volume from being removed"
    assert not secret_path(STACK, props["secret"]).exists()
    PROVIDER.delete("", outputs)


@pytest.mark.docker
def test_without_a_daemon_the_reason_is_plain_and_delete_still_works(props: Props) -> None:
    outputs = made(props)
    nowhere = "unix:///nonexistent/docker.sock"
    with pytest.raises(SliceError, match="Docker does not answer at unix:///nonexistent"):
        PROVIDER.create({**props, "docker_host": nowhere})
    PROVIDER.delete("", {**outputs, "docker_host": nowhere})


def test_without_a_volume_only_the_host_has_it() -> None:
    props: Props = {"stack": STACK, "secret": "alone", "content": "x"}
    outputs = made(props)
    assert PROVIDER.diff("", outputs, props).changes is False
    assert outputs["volume_created"] == ""
    assert "value" not in outputs, "only of a key that is kept anybody may ask for the value"


@pytest.mark.docker
def test_a_file_may_be_made_of_another_secret(client: docker.DockerClient, props: Props) -> None:
    made({"stack": STACK, "secret": f"{props['secret']}-key", "content": "the key"})
    props = {**props, "files": {"plain": "plain", "key": "plain"}, "of": {"key": f"{props['secret']}-key"}}
    outputs = made(props)
    reader = Reader(client, props)
    assert reader.run("cat /run/strata/secrets/plain /run/strata/secrets/key") == (0, "a:b\\cthe key")
    assert PROVIDER.diff("", outputs, props).changes is False
    made({"stack": STACK, "secret": f"{props['secret']}-key", "content": "another one"})
    assert PROVIDER.diff("", outputs, props).changes is True
    assert PROVIDER.diff("", made(props), props).changes is False
    assert reader.run("cat /run/strata/secrets/key") == (0, "another one")
    with pytest.raises(SliceError, match="no-such is missing"):
        made({**props, "of": {"key": "no-such"}})


def test_a_key_that_data_depends_on_outlives_its_resource_and_is_found_again() -> None:
    props: Props = {"stack": STACK, "secret": f"key-{secrets.token_hex(4)}", "content": "first", "keep": True}
    outputs = made(props)
    PROVIDER.delete("", outputs)
    assert read_secret(STACK, props["secret"]) == "first", "the data could not be decrypted any more"

    later = {**props, "content": "of a later state"}
    outputs = made(later)
    assert read_secret(STACK, props["secret"]) == "first"
    assert outputs["value"] == "first", "who is to use the key would be given another one"
    assert PROVIDER.diff("", outputs, later).changes is False


def test_a_lost_key_is_never_replaced_by_another_one() -> None:
    props: Props = {"stack": STACK, "secret": f"key-{secrets.token_hex(4)}", "content": "first", "keep": True}
    PROVIDER.delete("", made(props))
    later = {**props, "content": "of a later state"}
    outputs = made(later)
    secret_path(STACK, props["secret"]).unlink()
    assert PROVIDER.diff("", outputs, later).changes is True
    with pytest.raises(SliceError, match="is not the key that the data was written with: bring that file back"):
        PROVIDER.update("", outputs, later)
    assert not secret_path(STACK, props["secret"]).exists()


def test_what_a_running_backend_may_still_accept_is_kept_until_it_is_told() -> None:
    name = f"told-{secrets.token_hex(4)}"
    props: Props = {"stack": STACK, "secret": name, "content": "first", "keep_previous": True}
    outputs = made(props)
    assert previous_secrets(STACK, name) == [], "there was nothing before the first one"
    for content in ("second", "second", "third"):
        outputs = PROVIDER.update("", outputs, {**props, "content": content}).outs or {}
    assert previous_secrets(STACK, name) == ["second", "first"], "a backend may accept either, if runs were killed"
    path = secret_path(STACK, f"{name}.previous")
    assert path.stat().st_mode & 0o777 == 0o600
    PROVIDER.delete("", outputs)
    assert not path.exists(), "a password outlived its stack"


def test_a_kill_between_the_two_files_loses_neither_password(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"told-{secrets.token_hex(4)}"
    props: Props = {"stack": STACK, "secret": name, "content": "first", "keep_previous": True}
    outputs, wanted = made(props), {**props, "content": "second"}

    def killed(*arguments: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("components.slices.secret_file.write_secret", killed)
        with pytest.raises(KeyboardInterrupt):
            PROVIDER.update("", outputs, wanted)
    assert (read_secret(STACK, name), previous_secrets(STACK, name)) == ("first", ["first"])
    PROVIDER.update("", outputs, wanted)
    assert (read_secret(STACK, name), previous_secrets(STACK, name)) == ("second", ["first"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"secret": "../x"}, "is no name of a secret"),
        ({"files": {"a": "md5"}}, "`md5` is none of plain"),
        ({"volume": "v"}, "name one"),
    ],
)
def test_mistakes_are_refused_by_the_plan(change: Props, complaint: str) -> None:
    props = {"stack": STACK, "secret": "s", "content": "x", **change}
    assert [complaint in failure.reason for failure in PROVIDER.check({}, props).failures] == [True]
