"""One backend as a hardened container: image, volumes, secrets, container, readiness.

Everything that is posture stands here once, for every backend: loopback ports, read-only root, no capabilities, no
privilege escalation, limits, log rotation, restart policy. What differs between backends is in `Workload`.
"""

from typing import Final

import pulumi
import pulumi_docker as docker
import pulumi_random as random

from components import naming, scripts
from components.docker.context import Attachment, DockerContext
from components.docker.volumes import volume
from components.quantities import MIB
from components.services import BackendService, Runtime, View
from components.slices import (
    AdminRef,
    DockerPreflight,
    PortClaim,
    PreflightArgs,
    Ready,
    ReadyArgs,
    SecretFile,
    SecretFileArgs,
)
from components.workloads.workload import LOGIN, Workload

SECRETS_PATH: Final = "/run/strata/secrets"
LOOPBACK: Final = "127.0.0.1"

# Once a backend serves, the check only has to notice that it stopped doing so; readiness at start is `Ready`'s work.
# Docker 20.10 knows no start_interval, so a short interval would go on for ever.
# Durations are spelt as Go prints them: the official provider would plan a change of `60s` to `1m0s` for ever.
PROBE: Final = {"interval": "30s", "timeout": "5s", "start_period": "1m0s", "retries": 3}


class Backend(pulumi.ComponentResource):
    """Image, data volume (retained), secrets volume, admin password, container and readiness of one backend."""

    def __init__(
        self,
        kind: str,
        name: str,
        context: DockerContext,
        attachment: Attachment,
        workload: Workload,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"strata:docker:{kind}", name, None, opts)
        self._context, self._workload = context, workload
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        self._view = View(host=LOOPBACK, port=workload.host_port, grpc_port=workload.host_grpc_port)

        preflight = self._preflight(attachment)
        image = docker.RemoteImage(
            f"{name}-image",
            name=context.images[workload.backend],
            keep_locally=True,
            opts=self._options(depends_on=[preflight]),
        )
        names = context.naming
        data = self._volume("data", names.data_volume(workload.name), preflight, retained=True)
        secrets = self._volume("secrets", names.secrets_volume(workload.name), preflight, retained=False)
        before = [self._key(key) for key in dict.fromkeys(workload.keys.values())]
        self._login = self._random(f"{name}-{LOGIN}") if workload.owner else None
        if self._login is not None:
            before.append(self._host_secret(LOGIN, self._login))
        self._root = self._random(f"{name}-{workload.root}", workload.root_rotation) if workload.root else None
        admin = self._admin_credential()
        if workload.root and self._root is not None:
            started_with = self._secret(workload.root, self._root, secrets, image, before)
            secret = self._host_secret("admin", admin)
        else:
            started_with = secret = self._secret("admin", admin, secrets, image, before, given_while_running=True)
        self._container = self._run(image, data, secrets, attachment, started_with)
        self._admin = AdminRef(
            stack=context.naming.stack, secret=f"{workload.secrets}/admin", host=self._view.host, port=self._view.port
        )
        self._ready = Ready(
            f"{name}-ready",
            ReadyArgs(
                backend=workload.backend,
                admin=self._admin,
                root=f"{workload.secrets}/{workload.root}" if workload.root else None,
                container=self._container.name,
                container_id=self._container.id,
                credential=secret.digest,
                docker_host=context.host,
            ),
            opts=self._options(depends_on=[secret]),
        )
        self.register_outputs({"container": self._container.name, "image": image.name, "version": self._ready.version})

    @property
    def service(self) -> BackendService:
        """The backend, as consumers see it."""
        work = self._workload
        inside = View(host=work.name, port=work.port, grpc_port=work.grpc_port)
        return BackendService(
            views={"host": self._view, "network": inside},
            admin=self._admin,
            identity=self._ready.identity,
            version=self._ready.version,
            resource=self._container,
            ready=self._ready,
            runtime=Runtime(
                kind="docker",
                container=self._context.naming.physical(work.name),
                docker_host=self._context.host,
            ),
            signing_key=self._root,
            password=self._login,
        )

    def _options(self, **extra: object) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(**extra))  # type: ignore[arg-type]

    def _preflight(self, attachment: Attachment) -> DockerPreflight:
        work, names = self._workload, self._context.naming
        return DockerPreflight(
            f"{self._name}-preflight",
            PreflightArgs(
                stack=names.stack_label,
                state_id=self._context.state_id,
                containers=[names.physical(work.name)],
                volumes=[names.data_volume(work.name)],
                images=[self._context.images[work.backend]],
                ports=[
                    PortClaim(
                        host=LOOPBACK,
                        port=port,
                        container=names.physical(work.name),
                        setting=f"{work.setting}.{setting}",
                    )
                    for setting, (_, port) in work.ports.items()
                ],
                docker_host=self._context.host,
            ),
            opts=self._options(depends_on=[attachment.preflight]),
        )

    def _volume(self, kind: str, physical: str, preflight: pulumi.Resource, *, retained: bool) -> docker.Volume:
        made = self._options(depends_on=[preflight])
        return volume(self._context, f"{self._name}-{kind}", physical, retained=retained, opts=made)

    def _key(self, key: str) -> SecretFile:
        """A key that data depends on: as the data, it outlives the stack."""
        return self._host_secret(key, self._random(f"{self._name}-{key}"), keep=True)

    def _host_secret(self, secret: str, content: pulumi.Output[str], *, keep: bool = False) -> SecretFile:
        """A secret that no container has."""
        name = f"{self._workload.secrets}/{secret}"
        args = SecretFileArgs(stack=self._context.naming.stack, secret=name, content=content, keep=keep)
        return SecretFile(f"{self._name}-{secret}-secret", args, opts=self._child)

    def _admin_credential(self) -> pulumi.Output[str]:
        work, made = self._workload, self._random(f"{self._name}-admin", self._workload.admin_rotation)
        make = work.credential
        if make is None or self._root is None:
            return made
        content: pulumi.Output[str] = pulumi.Output.all(made, self._root).apply(lambda parts: make(*parts))
        return pulumi.Output.secret(content)

    def _secret(
        self,
        secret: str,
        content: pulumi.Output[str],
        volume: docker.Volume,
        image: docker.RemoteImage,
        after: list[SecretFile],
        *,
        given_while_running: bool = False,
    ) -> SecretFile:
        """A secret that the container is started with: on this host, and on the container's volume."""
        work, logical = self._workload, f"{self._name}-{secret}"
        of = {**work.keys, **({f"{LOGIN}.sha256": LOGIN} if self._login is not None else {})}
        return SecretFile(
            f"{logical}-secret",
            SecretFileArgs(
                stack=self._context.naming.stack,
                secret=f"{work.secrets}/{secret}",
                content=content,
                keep_previous=given_while_running,
                volume=volume.name,
                image=image.image_id,
                files=work.secret_files,
                of={file: f"{work.secrets}/{key}" for file, key in of.items()} or None,
                uid=work.uid,
                gid=work.uid,
                labels=self._context.label_map(f"{logical}-secret"),
                docker_host=self._context.host,
            ),
            opts=self._options(depends_on=after),
        )

    def _random(self, logical: str, rotation: str | None = None) -> pulumi.Output[str]:
        keepers = None if rotation is None else {"rotation": rotation}
        password = random.RandomPassword(logical, length=40, special=False, keepers=keepers, opts=self._child)
        content: pulumi.Output[str] = password.result
        return content

    def _run(
        self,
        image: docker.RemoteImage,
        data: docker.Volume,
        secrets: docker.Volume,
        attachment: Attachment,
        written: SecretFile,
    ) -> docker.Container:
        work = self._workload
        memory = work.memory // MIB
        # `Ready` gives a running server another password of the administrator, but not another root.
        digest = [{"label": naming.LABEL_DIGEST, "value": written.digest}] if work.root else []
        return docker.Container(
            f"{self._name}-container",
            name=self._context.naming.physical(work.name),
            image=image.image_id,
            entrypoints=["sh", "-c", scripts.read(work.backend), "strata"],
            command=list(work.arguments),
            envs=[f"{key}={value}" for key, value in sorted(work.env.items())],
            user=f"{work.uid}:{work.uid}",
            read_only=True,
            tmpfs={
                path: f"rw,noexec,nosuid,nodev,size={size},uid={work.uid},gid={work.uid},mode=0750"
                for path, size in sorted(work.tmpfs.items())
            },
            volumes=[
                {"container_path": work.data_path, "volume_name": data.name},
                {"container_path": SECRETS_PATH, "volume_name": secrets.name, "read_only": True},
            ],
            networks_advanced=[{"name": attachment.network.name, "aliases": [work.name]}],
            ports=[
                {"internal": inside, "external": outside, "ip": LOOPBACK, "protocol": "tcp"}
                for inside, outside in work.ports.values()
            ],
            memory=memory,
            memory_swap=memory,  # no swap; and left out, the provider would plan a change for ever on a host with swap
            cpus=cores(work.cpu),
            shm_size=work.shm // MIB,
            capabilities={"drops": ["ALL"]},
            security_opts=["no-new-privileges:true"],
            healthcheck={"tests": scripts.HEALTHCHECKS[work.backend], **PROBE},
            log_driver="json-file",
            log_opts={"max-size": "10m", "max-file": "3"},
            restart="unless-stopped",
            stop_signal=work.stop_signal,
            stop_timeout=work.stop_timeout,
            destroy_grace_seconds=work.stop_timeout,
            labels=[*self._context.labels(self._name), *digest],
            opts=self._options(
                depends_on=[written],
                # The official provider records a change of these two without giving it to the daemon.
                replace_on_changes=["healthcheck", "tmpfs"],
                delete_before_replace=True,  # two containers cannot have one name
            ),
        )


def cores(cpu: float) -> str:
    """`cpu` as the official provider reads it back; any other spelling replaces the container on every `up`."""
    return f"{cpu:.0f}." if cpu % 10 == 0 else str(float(cpu))
