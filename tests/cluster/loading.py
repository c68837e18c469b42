"""Brings images of this machine's Docker to the nodes, which can pull none."""

import contextlib
import json
from collections.abc import Sequence
from functools import partial

import docker
from docker.errors import DockerException, ImageNotFound

from images.chroot import Progress
from tests.cluster import node
from tests.cluster.errors import ClusterError
from tests.cluster.home import Home, Node, on_each, write_whole


def load(home: Home, nodes: Sequence[Node], names: Sequence[str], progress: Progress) -> None:
    """Gives every node those of the images `names` that it does not have. Raises ClusterError."""
    record = home.run / "images.json"
    loaded = json.loads(record.read_text()) if record.is_file() else {}
    archive = home.run / "image.tar"
    try:
        with contextlib.closing(docker.from_env()) as client:
            for name in names:
                image = client.images.get(name)
                if loaded.get(name) == image.id:
                    continue
                with archive.open("wb") as target:
                    for chunk in image.save(named=name):
                        target.write(chunk)
                on_each(nodes, partial(node.import_image, home, archive))
                loaded[name] = image.id
                write_whole(record, json.dumps(loaded))
                progress(f"{name}: on {len(nodes)} nodes")
    except ImageNotFound:
        raise ClusterError(f"Docker has no image {name!r}: see `docker images`, or `make images`") from None
    except DockerException as error:
        raise ClusterError(f"Docker does not answer: {error}") from None
    finally:
        archive.unlink(missing_ok=True)
