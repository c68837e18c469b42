"""What stands in the way in a cluster is said before anything is changed there."""

import time

from tests.cluster.platform.project import ClusterProject


def test_a_namespace_of_somebody_else_is_refused_with_the_line_to_hand_it_over(project: ClusterProject) -> None:
    name = project.stack
    project.kubectl("create", "namespace", name)
    try:
        project.up().refused(
            f"the namespace `{name}` exists and is not Strata's", f"kubectl label --overwrite namespace {name}"
        )
        assert project.kubectl.get("secrets")["items"] == []
    finally:
        project.kubectl("delete", "namespace", name)


def test_no_cluster_a_wrong_context_and_no_kubeconfig_are_told_apart_at_once(project: ClusterProject) -> None:
    begun = time.monotonic()
    project.up(KUBECONFIG="/nowhere/kubeconfig").refused("there is no kubeconfig /nowhere/kubeconfig")
    project.config["strata:platform"]["context"] = "moon"
    project.write()
    project.up().refused("has no context `moon`")
    assert time.monotonic() - begun < 60, "it waited for what can't come"
