"""Named volumes: those of backends, and those that applications claim for their own containers."""

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from components.claims import VolumeClaim
from components.docker.context import Attachment, DockerContext
from components.slices import DockerPreflight, PreflightArgs


class Volumes(pulumi.ComponentResource):
    """The volumes of one application; `names` are their physical names by the logical ones.

    Docker fills an empty volume from the image of the first container that mounts it, owner and mode of the folder
    included. So it is not for the stack to guess an owner.
    """

    def __init__(
        self,
        name: str,
        claims: Mapping[str, VolumeClaim],
        context: DockerContext,
        attachment: Attachment,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("strata:docker:Volumes", name, None, opts)
        self.names = {logical: context.naming.volume(logical) for logical in claims}
        preflight = DockerPreflight(
            f"{name}-preflight",
            PreflightArgs(
                stack=context.naming.stack_label,
                state_id=context.state_id,
                volumes=list(self.names.values()),
                docker_host=context.host,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[attachment.preflight]),
        )
        made = pulumi.ResourceOptions(parent=self, depends_on=[preflight])
        for logical, physical in self.names.items():
            volume(context, f"{name}-{logical}", physical, retained=True, opts=made)
        self.register_outputs({"names": self.names})


def volume(
    context: DockerContext, logical: str, physical: str, *, retained: bool, opts: pulumi.ResourceOptions
) -> docker.Volume:
    """One volume with the stack's labels. One that is retained outlives the stack, unless its data is to go."""
    keeping = pulumi.ResourceOptions(
        retain_on_delete=retained and physical not in context.delete_data,
        # Docker cannot change a volume's labels, and an adopted one keeps those of the state that made it.
        ignore_changes=["labels"],
    )
    merged = pulumi.ResourceOptions.merge(opts, keeping)
    return docker.Volume(logical, name=physical, labels=context.labels(logical), opts=merged)
