"""The secrets of a backend: those in its pod as files, and those that only its administrator has."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.kubernetes.certificates import Certificate
from components.kubernetes.context import KubernetesContext
from components.slices.forms import FORMS, verifier_with
from components.slices.kept_secret import KeptSecret, KeptSecretArgs
from components.workloads.workload import LOGIN, Workload

Texts = dict[str, pulumi.Output[str]]


class Secrets:
    """`files` are what the pod reads; `administrator` is what slices log in with, by a name that is none of a file."""

    def __init__(
        self,
        context: KubernetesContext,
        work: Workload,
        name: str,
        certificate: Certificate,
        opts: pulumi.ResourceOptions,
    ) -> None:
        self._context, self._work, self._name, self._opts = context, work, name, opts
        self.login = self._random(LOGIN) if work.owner else None
        self.root = self._random(work.root, work.root_rotation) if work.root else None
        self.admin = self._administrator()
        self.files = self._files(certificate)
        self.administrator: Texts = {"admin": self.admin}
        if work.root and self.root is not None:
            self.administrator[work.root] = self.root

    def secret(self, logical: str, physical: str, texts: Texts, component: str) -> kubernetes.core.v1.Secret:
        metadata = {**self._context.metadata(self._work.name, component), "name": physical}
        return kubernetes.core.v1.Secret(logical, metadata=metadata, type="Opaque", string_data=texts, opts=self._opts)

    def _files(self, certificate: Certificate) -> Texts:
        """File → text; made of the administrator's password, or what the server is started with, or a kept key."""
        work = self._work
        source = self.root if self.root is not None else self.admin
        of: Mapping[str, pulumi.Output[str]] = {
            **{file: self._kept(key) for file, key in work.keys.items()},
            **({f"{LOGIN}.sha256": self.login} if self.login is not None else {}),
        }
        files = {file: self._formed(of.get(file, source), form, file) for file, form in work.secret_files.items()}
        return {
            **files,
            "tls.crt": certificate.certificate,
            "tls.key": certificate.key,
            "ca.crt": certificate.ca,
        }

    def _formed(self, secret: pulumi.Output[str], form: str, file: str) -> pulumi.Output[str]:
        if form != "scram-verifier":
            return pulumi.Output.secret(secret.apply(FORMS[form]))
        # A fresh salt in every run would be a change in every run.
        salt = random.RandomId(f"{self._name}-{file}-salt", byte_length=16, opts=self._opts)
        return pulumi.Output.secret(pulumi.Output.all(secret, salt.hex).apply(lambda parts: verifier_with(*parts)))

    def _kept(self, key: str) -> pulumi.Output[str]:
        """A key that data depends on: as the data, it outlives the stack."""
        args = KeptSecretArgs(
            namespace=self._context.namespace,
            name=f"{self._work.name}-{key}",
            key=key,
            content=self._random(key),
            labels=self._context.labels(self._work.name, "key"),
            context=self._context.context,
        )
        return KeptSecret(f"{self._name}-{key}-secret", args, opts=self._opts).value

    def _administrator(self) -> pulumi.Output[str]:
        made, make = self._random("admin", self._work.admin_rotation), self._work.credential
        if make is None or self.root is None:
            return made
        content: pulumi.Output[str] = pulumi.Output.all(made, self.root).apply(lambda parts: make(*parts))
        return pulumi.Output.secret(content)

    def _random(self, secret: str, rotation: str | None = None) -> pulumi.Output[str]:
        keepers = None if rotation is None else {"rotation": rotation}
        logical = f"{self._name}-{secret}"
        password = random.RandomPassword(logical, length=40, special=False, keepers=keepers, opts=self._opts)
        content: pulumi.Output[str] = password.result
        return content
