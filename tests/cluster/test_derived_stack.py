"""The stack that is tested in a cluster is that of production, but for what a small cluster can't have."""

import yaml

from tests.cluster.platform.project import derived
from tests.e2e.project import ROOT

# What a test stack may have otherwise than production: sizes, images, storage, guarantees; and names that are its own.
MAY_DIFFER = {
    "strata:stage",
    "strata:images",
    "strata:platform.namespace",
    "strata:platform.prefix",
    "strata:platform.storage",
    "strata:redis.dedicated",
    *(
        f"strata:{backend}.{size}"
        for backend in ("postgres", "redis", "qdrant", "object_store")
        for size in ("memory", "cpu", "storage", "port", "grpc_port", "max_connections")
    ),
}


def test_the_test_stack_is_production_but_for_sizes_images_storage_and_names() -> None:
    production = flat(yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"])
    tested = flat(
        derived("x", list(yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]["strata:applications"]))
    )
    differing = {key for key in {*production, *tested} if production.get(key) != tested.get(key)}
    assert {key for key in differing if not any(key == may or key.startswith(f"{may}.") for may in MAY_DIFFER)} == set()


def flat(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    return {
        key: item for name, inner in value.items() for key, item in flat(inner, f"{path}.{name}".lstrip(".")).items()
    }
