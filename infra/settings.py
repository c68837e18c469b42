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
from components.claims import Application, ApplicationName
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


class KubernetesSettings(Spec):
    """StatefulSets and claims in one namespace of a cluster."""

    kind: Literal["kubernetes"]
    namespace: str = Field(default="strata", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", examples=["strata"])
    context: str | None = Field(
        default=None, examples=["prod-eu"], description="Of the kubeconfig; default its current"
    )


class ImageSettings(Spec):
    """Where images come from; see images/lock.yaml."""

    source: Literal["registry", "local"] = Field(default="registry", examples=["local"])


class Settings(Spec):
    """Everything that a stack's YAML says."""

    stage: Stage = Field(examples=["development"])
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
