"""The stack's settings: Pulumi.<stack>.yaml and the application folders, read once into frozen models.

Nothing else reads `pulumi.Config`. Every mistake is reported with its file, its key, its value and the line to write.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from components import naming
from components.claims import Application, ApplicationName, KubernetesName, Labels
from components.specs import ObjectStoreSpec, PostgresSpec, QdrantSpec, RedisSpec, Spec, Stage
from infra import conflicts
from infra.mistakes import SettingsError, validate

NAMESPACE: Final = "strata"


class DockerSettings(Spec):
    """Containers and volumes on one Docker daemon."""

    kind: Literal["docker"]
    prefix: str | None = Field(default=None, examples=["dev-alice-"], description="Of every name; default `<stack>-`")
    host: str | None = Field(default=None, examples=["unix:///var/run/docker.sock"], description="Default DOCKER_HOST")

    @field_validator("prefix")
    @classmethod
    def _prefix(cls, value: str | None) -> str | None:
        if value is not None and (problem := naming.prefix_problem(value)):
            raise ValueError(problem)
        return value


class ExistingClass(Spec):
    """A StorageClass that the cluster has. Whether it encrypts is not to be seen in it, so the settings say so."""

    kind: Literal["existing"]
    name: str | None = Field(default=None, examples=["standard"], description="Default: the cluster's default class")
    encrypted: bool = Field(default=False, description="Its volumes are encrypted at rest")


class EbsClass(Spec):
    """A StorageClass that the stack declares: gp3 volumes of AWS EBS, encrypted, which stay and may grow."""

    kind: Literal["aws-ebs"]
    kms_key_id: str | None = Field(
        default=None,
        examples=["arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        description="Default: the account's own key for EBS",
    )


class CertificateSettings(Spec):
    """Of the certificates that the stack makes for its backends."""

    hours: int = Field(default=2160, ge=1, le=8760, examples=[2160], description="How long one is valid")
    renewal_hours: int = Field(
        default=1080, ge=1, examples=[1080], description="An `up` in so many hours before its end makes another one"
    )

    @model_validator(mode="after")
    def _renewed_before_its_end(self) -> "CertificateSettings":
        if self.renewal_hours >= self.hours:
            raise ValueError(
                f"renewal_hours must be less than hours, or every `up` would renew. Write for instance:"
                f" renewal_hours: {self.hours // 2}"
            )
        return self


class ScraperSettings(Spec):
    """The pods that read the backends' metrics, which network policies let in."""

    namespace: KubernetesName = Field(examples=["monitoring"])
    pods: Labels = Field(examples=[{"app.kubernetes.io/name": "prometheus"}])


class KubernetesSettings(Spec):
    """StatefulSets and claims in one namespace of a cluster, and a namespace for each application."""

    kind: Literal["kubernetes"]
    namespace: KubernetesName = Field(default="strata", examples=["strata"], description="Of the backends")
    prefix: str = Field(default="", examples=["test-"], description="Of the applications' namespaces")
    context: str | None = Field(
        default=None, examples=["prod-eu"], description="Of the kubeconfig; default its current"
    )
    storage: Annotated[ExistingClass | EbsClass, Field(discriminator="kind")] = ExistingClass(kind="existing")
    certificates: CertificateSettings = CertificateSettings()
    metrics: ScraperSettings | None = Field(default=None, description="Who reads metrics; default nobody")

    @field_validator("prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if problem := naming.prefix_problem(value):
            raise ValueError(problem)
        return value


class ImageSettings(Spec):
    """Where images come from; see images/lock.yaml."""

    source: Literal["registry", "local"] = Field(default="registry", examples=["local"])


class Settings(Spec):
    """Everything that a stack's YAML says."""

    stage: Stage = Field(examples=["development"])
    guarantees: tuple[Literal["tls", "network_isolated", "encrypted_at_rest"], ...] | None = Field(
        default=None,
        examples=[["tls", "network_isolated"]],
        description="What this stack promises; default all that the platform keeps",
    )
    platform: Annotated[DockerSettings | KubernetesSettings, Field(discriminator="kind")]
    images: ImageSettings = ImageSettings()
    postgres: PostgresSpec
    redis: RedisSpec
    qdrant: QdrantSpec
    object_store: ObjectStoreSpec
    applications: tuple[ApplicationName, ...] = Field(default=(), examples=[["alfred"]])
    delete_data: tuple[str, ...] = Field(
        default=(), examples=[["redis-data"]], description="Volumes that the next destroy deletes, too"
    )

    @field_validator("applications")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for name, count in Counter(value).items() if count > 1]
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice")
        return value

    @model_validator(mode="after")
    def _local_images_are_for_trying(self) -> "Settings":
        if self.stage is Stage.PRODUCTION and self.images.source == "local":
            raise ValueError(
                "a production stage takes images from a registry: write `strata:images: {source: registry}`"
            )
        return self


def read(stack: str) -> Settings:
    """The settings of the running program. Raises SettingsError."""
    import pulumi  # 0.3 s that `strata up`, which reads the same file by itself, need not wait

    known = pulumi.runtime.get_config_env()
    config = pulumi.Config(NAMESPACE)
    prefix = f"{NAMESPACE}:"
    keys = [key.removeprefix(prefix) for key in known if key.startswith(prefix)]
    return parse({key: _value(config.get(key)) for key in keys}, file=f"Pulumi.{stack}.yaml")


def parse(raw: Mapping[str, Any], *, file: str) -> Settings:
    """Settings from plain values. Raises SettingsError, naming `file`."""
    return validate(Settings, raw, file=file, namespace=NAMESPACE)


def read_applications(settings: Settings, root: Path) -> tuple[Application, ...]:
    """The claims of the stack's applications. Raises SettingsError."""
    applications = tuple(read_application(root, name) for name in settings.applications)
    conflicts.refuse(settings, applications)
    return applications


def _value(text: str | None) -> Any:
    """The SDK hands objects, numbers and booleans over as JSON, and strings as they are."""
    try:
        return json.loads(text) if text is not None else None
    except json.JSONDecodeError:
        return text


def read_application(root: Path, name: str) -> Application:
    """The claims of one application, whether a stack has it or not. Raises SettingsError."""
    path = root / "applications" / name / "application.yaml"
    file = str(path.relative_to(root))
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        folders = sorted(p.parent.name for p in (root / "applications").glob("*/application.yaml"))
        raise SettingsError(
            f"strata:applications names `{name}`, and {file} does not exist.\n"
            f"Make that file, or name one of: {', '.join(folders) or '(no application exists yet)'}"
        ) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{file} is not YAML: {error}") from None
    if not isinstance(raw, dict):
        raise SettingsError(f"{file} must be a mapping that begins with `name: {name}`")
    application = validate(Application, raw, file=file)
    if application.name != name:
        raise SettingsError(f"{file}: name is `{application.name}` and its folder `{name}`. Write: `name: {name}`")
    return application
