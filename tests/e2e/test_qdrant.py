"""Qdrant over the life of a stack: vectors stay, access follows the claims, and what was lost comes back."""

from pathlib import Path

import docker
import pytest
from docker.errors import NotFound

from tests.e2e import qdrant
from tests.e2e.project import Project

pytestmark = [pytest.mark.e2e, pytest.mark.docker]


def claim(project: Project) -> Path:
    return project.root / "applications" / "alfred" / "application.yaml"


def change(project: Project, old: str, new: str) -> None:
    text = claim(project).read_text()
    assert old in text
    claim(project).write_text(text.replace(old, new, 1))


def test_another_administrator_needs_no_other_container(deployed: Project) -> None:
    qdrant.remember(deployed)
    before, old, token = deployed.ids()["vector-db"], qdrant.administrator(deployed), qdrant.token(deployed)
    deployed.set("qdrant.admin_rotation", 1)
    deployed.up().succeeded()
    assert deployed.ids()["vector-db"] == before
    assert qdrant.administrator(deployed) != old
    assert qdrant.status(deployed, old) in qdrant.REFUSED
    assert qdrant.token(deployed) == token, "applications would need another token for nothing"
    assert qdrant.remembers(deployed)
    qdrant.drop_index(deployed)
    deployed.up("--refresh").succeeded()  # slices read and update with the new token
    qdrant.use(deployed)


def test_another_key_ends_every_token_and_keeps_the_vectors(deployed: Project) -> None:
    qdrant.remember(deployed)
    before, old, token = deployed.ids(), qdrant.administrator(deployed), qdrant.token(deployed)
    deployed.set("qdrant.root_rotation", 1)
    deployed.up().succeeded()
    after = deployed.ids()
    assert {name for name in after if after[name] != before[name]} == {"vector-db"}
    for ended in (old, token):
        assert qdrant.status(deployed, ended) in qdrant.REFUSED
    assert qdrant.remembers(deployed)
    qdrant.use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def test_a_removed_application_loses_its_access_and_keeps_its_vectors(deployed: Project) -> None:
    qdrant.remember(deployed)
    credentials = deployed.outputs()["credentials"]["alfred"]["qdrant"]
    tokens = [credentials["password"], *(credentials[login]["password"] for login in ("readonly", "previous"))]
    assert [qdrant.status(deployed, each) for each in tokens] == [200, 200, 200]
    deployed.config["strata:applications"] = []
    deployed.write()
    deployed.up().succeeded()
    assert all(qdrant.status(deployed, each) in qdrant.REFUSED for each in tokens)
    deployed.config["strata:applications"] = ["alfred"]
    deployed.write()
    deployed.up().succeeded()
    assert qdrant.remembers(deployed), "an application that came back did not find its vectors"
    assert all(qdrant.status(deployed, each) in qdrant.REFUSED for each in tokens), "an old token opens again"


def test_a_plain_up_lets_everybody_in_again_when_the_logins_were_deleted(deployed: Project) -> None:
    qdrant.remember(deployed)
    token = qdrant.token(deployed)
    qdrant.by_hand(deployed, "DELETE", qdrant.LOGINS)
    assert qdrant.status(deployed, token) in qdrant.REFUSED
    state = deployed.state_file.read_bytes()
    deployed.run("refresh", "--yes").refused("the administrator's token is refused", "`strata up` asserts it again")
    assert deployed.state_file.read_bytes() == state, "what nobody could look at was recorded as gone"
    deployed.up().succeeded()
    assert qdrant.status(deployed, token) == 200, "applications would need another token for nothing"
    assert qdrant.remembers(deployed)
    qdrant.use(deployed)
    deployed.up("--refresh", "--expect-no-changes").succeeded()


def test_a_change_that_would_lose_vectors_is_refused_before_anything_happens(deployed: Project) -> None:
    before = deployed.state_file.read_bytes()
    text = claim(deployed).read_text()
    change(deployed, "size: 1536", "size: 768")
    try:
        for command in (["preview"], ["up", "--yes"]):
            deployed.run(*command).refused(
                "the collection `alfred_documents`: size of the vector is 1536 and would be 768",
                "`vector: {size: 1536, distance: Cosine}`",
                "another collection",
            )
            assert deployed.state_file.read_bytes() == before
    finally:
        claim(deployed).write_text(text)
    deployed.up("--expect-no-changes").succeeded()


def test_a_collection_that_was_made_anew_with_other_vectors_is_refused_until_it_is_gone(deployed: Project) -> None:
    where = f"/collections/{qdrant.COLLECTION}"
    qdrant.by_hand(deployed, "DELETE", where)
    qdrant.by_hand(deployed, "PUT", where, {"vectors": {"size": 4, "distance": "Dot"}})
    deployed.up("--refresh").refused(
        "the collection `alfred_documents`: ",
        "size of the vector is 4 and would be 1536",
        "`vector: {size: 4, distance: Dot}`",
    )
    qdrant.by_hand(deployed, "DELETE", where)
    deployed.up("--refresh").succeeded()
    qdrant.use(deployed)


def test_claims_grow_and_shrink_without_touching_vectors(deployed: Project) -> None:
    qdrant.remember(deployed)
    text, token = claim(deployed).read_text(), qdrant.token(deployed)
    change(
        deployed,
        "  collections:\n    alfred_documents:\n",
        "  collections:\n    alfred_more:\n      vectors: {size: {size: 4}}\n    alfred_documents:\n",
    )
    change(deployed, "bucket_id: keyword, ", "number: integer, ")
    plan = deployed.run("preview").succeeded()
    assert "alfred-qdrant-collection-alfred_more" in plan.text
    deployed.up().succeeded()
    assert qdrant.status(deployed, token) == 200, "a running application was locked out by a collection more"
    assert qdrant.status(deployed, token, "alfred_more") in qdrant.REFUSED
    wider = qdrant.token(deployed)
    assert qdrant.status(deployed, wider, "alfred_more") == 200
    found = qdrant.by_hand(deployed, "GET", f"/collections/{qdrant.COLLECTION}")["payload_schema"]
    assert {field: index["data_type"] for field, index in found.items()} == {
        "number": "integer",
        "object_id": "uuid",
        "created_at": "datetime",
    }
    claim(deployed).write_text(text)
    deployed.up().succeeded()
    assert qdrant.status(deployed, wider) in qdrant.REFUSED, "a token that reaches more than is claimed still opens"
    assert qdrant.by_hand(deployed, "GET", "/collections/alfred_more/exists") == {"exists": True}
    assert qdrant.remembers(deployed)
    qdrant.use(deployed)


def test_a_rotated_token_leaves_the_one_before_it_working(deployed: Project) -> None:
    text, first = claim(deployed).read_text(), qdrant.token(deployed)
    try:
        for rotation in (2, 3):
            claim(deployed).write_text(text.replace("qdrant:\n", f"qdrant:\n  rotation: {rotation}\n", 1))
            deployed.up().succeeded()
            assert qdrant.token(deployed) != first
            assert (qdrant.status(deployed, first) == 200) == (rotation == 2)
            qdrant.use(deployed)
    finally:
        claim(deployed).write_text(text)


def test_destroy_keeps_vectors_and_the_next_up_finds_them_with_other_tokens(deployed: Project) -> None:
    deployed.up().succeeded()
    qdrant.remember(deployed)
    token = qdrant.token(deployed)
    gone = deployed.destroy().succeeded()
    assert f"{deployed.stack}-vector-db-data" in gone.text, "destroy must say which data it kept"
    deployed.up().succeeded()
    assert qdrant.remembers(deployed)
    assert qdrant.status(deployed, token) in qdrant.REFUSED, "a destroyed stack's token still opens"
    qdrant.use(deployed)


def test_destroy_deletes_the_vectors_that_are_named(deployed: Project) -> None:
    qdrant.remember(deployed)
    doomed = f"{deployed.stack}-vector-db-data"
    gone = deployed.run("destroy", "--yes", "--delete-data", doomed).succeeded()
    assert f"Deleted for good: the volumes {doomed}" in gone.text
    with pytest.raises(NotFound):
        docker.from_env().volumes.get(doomed)
    deployed.up().succeeded()
    assert not qdrant.remembers(deployed)
    qdrant.use(deployed)
