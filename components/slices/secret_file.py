"""A secret's two copies: the user's file on this host, and the container's on a small volume."""

import contextlib
import hmac
import io
import secrets
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import pulumi
from pulumi.dynamic import CheckFailure, Resource

from components.secretfiles import (
    SecretFileError,
    forget_previous,
    keep_previous,
    read_secret,
    remove_secret,
    secret_path,
    write_secret,
)
from components.slices.docker_client import DaemonUnreachableError, daemon, find
from components.slices.errors import SliceError
from components.slices.forms import FORMS
from components.slices.resource import Props, SliceProvider, inputs_of, is_known, with_secret_outputs

if TYPE_CHECKING:
    import docker

MOUNT: Final = "/strata-secrets"  # in no image, so that Docker copies nothing of the image into a new volume
HELPER: Final = "strata.helper"  # label of the container that writes the volume; its value is the volume


@dataclass(frozen=True, kw_only=True)
class SecretFileArgs:
    """`secret` names the host's copy (see `components.secretfiles`). Without `volume` there is no container's copy.

    `files` maps a file name on the volume to its form: `plain`, `scram-verifier`, `sha256` or `kms-key`.
    `image` is any image that is present: the volume is written through a container of it that is never started.
    `of` names, for files that are not made of `content`, the secret of this host that they are made of. One resource
    writes all files of a volume: a second one would look like another volume to the first (Docker's time of creation
    is that of the last file in it).
    `keep` is for keys that kept data depends on: a copy that this host has goes before `content`, and no delete
    removes it. Which of the two it is, only the resource's `value` says.
    `keep_previous` is for passwords that `Ready` gives to a running backend: it logs in with the one before, which is
    kept beside this one until then.
    """

    stack: str
    secret: str
    content: pulumi.Input[str]
    volume: pulumi.Input[str] | None = None
    image: pulumi.Input[str] | None = None
    files: Mapping[str, str] | None = None
    of: Mapping[str, str] | None = None
    uid: int = 0
    gid: int = 0
    labels: Mapping[str, pulumi.Input[str]] | None = None
    docker_host: str | None = None
    keep: bool = False
    keep_previous: bool = False


class SecretFileProvider(SliceProvider):
    """Writes both copies; a missing or different one on the host, or a volume made anew, is a change."""

    compared: ClassVar = ("volume", "files", "of", "uid", "gid")
    replacing: ClassVar = ("stack", "secret")
    unrecorded: ClassVar = ("content",)

    def failures(self, olds: Props, news: Props) -> list[CheckFailure]:
        found = [
            CheckFailure("files", f"`{name}`: `{form}` is none of {', '.join(FORMS)}")
            for name, form in (news.get("files") or {}).items()
            if form not in FORMS
        ]
        if news.get("volume") is not None and news.get("image") is None:
            found.append(CheckFailure("image", "a volume is written through a container of some image: name one"))
        try:
            secret_path(news["stack"], news["secret"])
        except SecretFileError as error:
            found.append(CheckFailure("secret", str(error)))
        return found

    def drifted(self, olds: Props, news: Props) -> bool:
        if not isinstance(news.get("content"), str):
            return not news.get("keep")  # not known yet: another secret is being made
        if not is_known(news.get("volume")):
            return False  # what makes it unknown is a change of its own, and the update follows when it is known
        content = _content(news)
        if not _matches(content, olds.get("digest")) or content != _host_copy(news):
            return True
        if olds.get("of_digest") and not _matches(_ingredients(news), olds["of_digest"]):
            return True
        return (_volume_created(news) or "") != olds.get("volume_created")

    def identifier(self, props: Props) -> str:
        return f"{props['stack']}/{props['secret']}"

    def apply(self, props: Props, olds: Props | None = None) -> Props:
        content, before = _content(props), (olds or {}).get("digest")
        if props.get("keep") and before and not _matches(content, before):
            path = secret_path(props["stack"], props["secret"])
            raise SliceError(f"{path} is not the key that the data was written with: bring that file back")
        try:
            if props.get("keep_previous"):
                keep_previous(props["stack"], props["secret"], content)  # first: a kill in between loses nothing
            write_secret(props["stack"], props["secret"], content)
        except SecretFileError as error:
            raise SliceError(str(error)) from None
        if props.get("volume"):
            _write_volume(props, _texts(props, content))
        same = _matches(content, before) and (olds or {}).get("files") == props.get("files")
        outputs = {"digest": before if same else _digest(content), "volume_created": _volume_created(props) or ""}
        if props.get("of"):
            outputs["of_digest"] = _digest(_ingredients(props))
        return {**outputs, "value": content} if props.get("keep") else outputs

    def live(self, props: Props) -> Props | None:
        """The host's copy; without it the resource is gone, and the next `up` writes both anew."""
        return {} if secret_path(props["stack"], props["secret"]).exists() else None

    def delete(self, id_: str, props: Props) -> None:
        """Remove the host's copies, and what a killed run left. The volume goes with its own resource."""
        try:
            if not props.get("keep"):
                remove_secret(props["stack"], props["secret"])
                forget_previous(props["stack"], props["secret"])
        except SecretFileError as error:
            raise SliceError(str(error)) from None
        with contextlib.suppress(DaemonUnreachableError), daemon(props.get("docker_host")) as client:
            _remove_helpers(client, props.get("volume"))


class SecretFile(Resource, module="strata", name="SecretFile"):
    """A secret in files. `digest` changes with the secret and says nothing about it.

    `value` is the secret itself, of one that is kept; it is a secret, too.
    """

    secret: pulumi.Output[str]
    digest: pulumi.Output[str]
    value: pulumi.Output[str]

    def __init__(self, name: str, args: SecretFileArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = inputs_of(args, "digest", "of_digest", "volume_created", "value")
        super().__init__(SecretFileProvider(), name, inputs, with_secret_outputs(opts, "value"))


def _digest(content: str, salt: str | None = None) -> str:
    salt = salt or secrets.token_hex(16)
    return f"{salt}:{hmac.digest(salt.encode(), content.encode(), 'sha256').hex()}"


def _matches(content: str, digest: str | None) -> bool:
    return digest is not None and hmac.compare_digest(_digest(content, digest.split(":")[0]), digest)


def _content(props: Props) -> str:
    """The secret: what is asked for, but a key that is kept and that this host has goes before it."""
    kept = _host_copy(props) if props.get("keep") else None
    return kept or str(props["content"])


def _texts(props: Props, content: str) -> dict[str, str]:
    """File on the volume → what it holds."""
    of = props.get("of") or {}
    try:
        return {
            name: FORMS[form](read_secret(props["stack"], of[name]) if name in of else content)
            for name, form in (props.get("files") or {}).items()
        }
    except SecretFileError as error:
        raise SliceError(str(error)) from None


def _ingredients(props: Props) -> str:
    """The secrets that files are made of besides the resource's own; one that is gone is an empty one."""
    copies = (_host_copy({**props, "secret": name}) for name in sorted(set((props.get("of") or {}).values())))
    return "\0".join(copy or "" for copy in copies)


def _host_copy(props: Props) -> str | None:
    try:
        return read_secret(props["stack"], props["secret"])
    except SecretFileError:
        return None


def _volume_created(props: Props) -> str | None:
    """When Docker made the volume: another time means another volume, without the files."""
    if not props.get("volume"):
        return None
    with daemon(props.get("docker_host")) as client:
        volume = find(client.volumes.get, props["volume"])
        return str(volume.attrs["CreatedAt"]) if volume else None


def _write_volume(props: Props, texts: Mapping[str, str]) -> None:
    """Put the files on the volume through a container that only exists: nothing of it ever runs.

    The host's user need not be root, and the secret stands in no command line, environment or configuration.
    """
    from docker.types import Mount  # here for the same reason as in `daemon`

    volume = props["volume"]
    with daemon(props.get("docker_host")) as client:
        _remove_helpers(client, volume)
        helper = client.containers.create(
            props["image"],
            command=["true"],
            labels={**(props.get("labels") or {}), HELPER: volume},
            mounts=[Mount(target=MOUNT, source=volume, type="volume", no_copy=True)],
            network_mode="none",
        )
        try:
            helper.put_archive(MOUNT, _archive(props, texts))
        finally:
            helper.remove(force=True, v=True)  # with the anonymous volumes that its image declares


def _archive(props: Props, texts: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in texts.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o400
            entry.uid, entry.gid = int(props.get("uid", 0)), int(props.get("gid", 0))
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _remove_helpers(client: "docker.DockerClient", volume: str | None) -> None:
    """Also those that a killed run left behind: a container that exists keeps its volume from being removed."""
    for helper in client.containers.list(all=True, filters={"label": f"{HELPER}={volume}"}) if volume else []:
        helper.remove(force=True, v=True)  # with the anonymous volumes that its image declares
