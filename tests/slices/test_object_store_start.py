"""The object store's start script, in a container as hardened as the component makes it."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
import urllib3
from minio.error import S3Error

from components import scripts
from components.secretfiles import secret_path
from components.slices.ready import ReadyProvider
from tests.slices.servers import OBJECT_STORE, STACK, Kind, Server, eventually, s3_session

pytestmark = pytest.mark.docker
Fresh = Callable[[Kind], Server]
MARKER = b"nobody who holds the disk may read this"


def identity(server: Server) -> str:
    result = ReadyProvider().create(server.ready_props(deadline=60.0))
    assert result.outs is not None
    return str(result.outs["identity"])


def write(server: Server) -> None:
    session = s3_session(server, "admin", server.password)
    session.make_bucket("kept")
    session.put_object("kept", "object", io.BytesIO(MARKER), len(MARKER))


def read(server: Server, password: str, user: str = "admin") -> bytes:
    with s3_session(server, user, password).get_object("kept", "object") as answer:
        return answer.data


def healthy(server: Server) -> bool:
    return server.running.exec_run(scripts.HEALTHCHECKS["object_store"][1:]).exit_code == 0


def test_a_kept_volume_accepts_the_new_password_only_and_is_still_decrypted(fresh: Fresh) -> None:
    server = fresh(OBJECT_STORE).start("the-first-password", root="the-first-root")
    before = identity(server)
    write(server)
    server.stop()

    server.start("the-second-password", root="the-second-root")
    assert identity(server) == before, "the volume was not taken over"
    assert read(server, "the-second-password") == MARKER
    assert read(server, "the-second-root", "root") == MARKER
    for user, password in {"admin": "the-first-password", "root": "the-first-root"}.items():
        with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
            read(server, password, user)
    for secret in ("the-first-password", "the-second-password", "the-first-root", "the-second-root"):
        assert secret not in server.log()
        assert secret not in server.run("cat", "/proc/1/environ", "/proc/1/cmdline")


def test_objects_are_encrypted_on_the_volume_without_being_asked_for(fresh: Fresh) -> None:
    server = fresh(OBJECT_STORE).start().ready()
    write(server)
    metadata = s3_session(server, "admin", server.password).stat_object("kept", "object").metadata or {}
    assert metadata.get("X-Amz-Server-Side-Encryption")
    found = server.running.exec_run(["grep", "-rlF", MARKER.decode(), "/data"]).output
    assert found == b"", f"in plain text: {found!r}"
    assert server.run("ls", "/data/kept/object"), "the test looked at the wrong place"


def test_what_was_acknowledged_survives_a_sigkill(fresh: Fresh) -> None:
    server = fresh(OBJECT_STORE).start().ready()
    before = identity(server)
    write(server)
    server.kill()
    server.running.start()
    server.look()
    assert identity(server) == before
    assert read(server, server.password) == MARKER


def test_the_health_check_notices_a_drive_that_is_lost(fresh: Fresh) -> None:
    server = fresh(OBJECT_STORE).start().ready()
    eventually(lambda: healthy(server))
    server.run("mv", "/data/.minio.sys", "/data/.lost")
    eventually(lambda: not healthy(server), within=30)
    server.run("mv", "/data/.lost", "/data/.minio.sys")
    eventually(lambda: healthy(server), within=30)


def test_metrics_are_for_the_administrator(object_store: Server) -> None:
    where = f"http://127.0.0.1:{object_store.port}/minio/v2/metrics/"
    assert {urllib3.request("GET", where + kind).status for kind in ("cluster", "node", "bucket")} == {403}


def test_another_key_is_refused_instead_of_failing_at_every_object(fresh: Fresh) -> None:
    server = fresh(OBJECT_STORE).start().ready()
    write(server)
    server.stop()
    secret_path(STACK, f"{server.name}/encryption").unlink()
    server.start()
    eventually(lambda: server.look().running.status == "exited")
    assert "bring back the secret object_store/encryption" in server.log()


@pytest.mark.parametrize("missing", ["root", "encryption-key"])
def test_a_missing_secret_is_refused_instead_of_taking_the_well_known_default(fresh: Fresh, missing: str) -> None:
    files = {name: form for name, form in OBJECT_STORE.files.items() if name != missing}
    server = fresh(replace(OBJECT_STORE, files=files)).start()
    eventually(lambda: server.look().running.status == "exited")
    assert f"{missing} is missing, empty or unreadable: run strata up" in server.log()
