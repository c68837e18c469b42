"""Data outlives pods, StatefulSets and stacks: it lies on claims, which are found again by their names.

An analyzer is not told of `retain_on_delete`; that claims, namespaces and classes have it is pinned by
`tests/policies/test_program.py`.
"""

import re
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import data, tokens, values
from policies.rules.kubernetes import objects
from policies.rules.rule import ResourceRule
from policies.rules.values import Inputs

_DATA_ROOTS = {**data.DATA_ROOTS, "object-store": data.DATA_ROOTS["minio"]}
_EBS = frozenset({"ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs"})


def data_on_claim(args: ResourceValidationArgs) -> Iterator[str]:
    pod = objects.pod(args.resource_type, args.props)
    if pod.backend is None:
        return
    root, claims = _DATA_ROOTS[pod.backend], claims_of(args.resource_type, args.props)
    mounts = (mount for each in pod.containers if each.serves for mount in values.each(each.inputs, "volumeMounts"))
    if not any(mount["name"] in claims and data.is_within(mount["mountPath"], root) for mount in mounts):
        yield (
            f"{pod.where}.containers: {pod.backend} keeps its data in {root}, and no claim is mounted there, so the "
            "data goes with the pod; mount a volume of volumeClaimTemplates there"
        )


def claims_of(resource_type: str, inputs: Inputs) -> dict[str, str | None]:
    """The volumes of a pod that are claims; with the claim's own name, where no template of a StatefulSet makes it."""
    pod = objects.pod(resource_type, inputs)
    found: dict[str, str | None] = {}
    for volume in values.each(pod.spec, "volumes"):
        if values.is_given(volume, "persistentVolumeClaim"):
            found[volume["name"]] = volume["persistentVolumeClaim"]["claimName"]
    templates = values.each(inputs.get("spec") or {}, "volumeClaimTemplates")
    return {**found, **{objects.name(template): None for template in templates}}


def claims_outlive_pods(args: ResourceValidationArgs) -> Iterator[str]:
    policy: Inputs = (args.props.get("spec") or {}).get("persistentVolumeClaimRetentionPolicy") or {}
    for key, when in (("whenDeleted", "when the StatefulSet is replaced"), ("whenScaled", "when it has fewer pods")):
        if policy.get(key) == "Delete":
            yield (
                f"spec.persistentVolumeClaimRetentionPolicy.{key}: the claims and their data are deleted {when}; write "
                f"{key}: Retain"
            )


def keeps_its_name(args: ResourceValidationArgs) -> Iterator[str]:
    # The checked inputs have a name also where the provider made it: the resource's with eight hex digits.
    name = objects.name(args.props)
    if not name or re.fullmatch(f"{re.escape(args.name)}-[0-9a-f]{{8}}", name):
        yield (
            f'metadata.name: "{name}" is generated, and after a destroy it would be another: the data that was kept is '
            "never found again; write a name"
        )


def storage_class_keeps(args: ResourceValidationArgs) -> Iterator[str]:
    if not args.props.get("allowVolumeExpansion"):
        yield (
            "allowVolumeExpansion: a volume that is full cannot grow, and its server stands; write "
            "allowVolumeExpansion: true"
        )
    policy = args.props.get("reclaimPolicy") or "Delete"
    if policy != "Retain":
        yield f"reclaimPolicy: {policy} takes the volume with its claim, data and all; write reclaimPolicy: Retain"
    if args.props.get("provisioner") in _EBS and not encrypts(args.props):
        yield 'parameters.encrypted: volumes of this class lie on AWS in clear; write parameters: {encrypted: "true"}'


# What drivers of clouds call the key that they encrypt a volume with.
_KEYS = ("disk-encryption-kms-key", "diskEncryptionSetID")


def encrypts(storage_class: Inputs) -> bool:
    """Whether every volume of a class is encrypted. Google and Azure encrypt all, and with a key that is named here."""
    parameters: Inputs = storage_class.get("parameters") or {}
    said = str(parameters.get("encrypted") or "").lower() == "true"
    return said or any(values.is_given(parameters, key) for key in _KEYS)


RULES = (
    ResourceRule(
        name="data-on-claim",
        description="A backend's data lies on a claim.",
        applies_to=objects.SERVING,
        check=data_on_claim,
        severity=Severity.CRITICAL,
        remediation_steps="Mount the volume of a claim where the backend writes.",
        url="https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    ),
    ResourceRule(
        name="claims-outlive-pods",
        description="A StatefulSet never deletes its claims.",
        applies_to=frozenset({tokens.STATEFUL_SET}),
        check=claims_outlive_pods,
        severity=Severity.CRITICAL,
        remediation_steps="Set whenDeleted and whenScaled to Retain, or leave the policy out.",
        url="https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
    ),
    ResourceRule(
        name="claim-keeps-its-name",
        description="A claim, and what its name is made of, has a name of its own.",
        applies_to=frozenset({tokens.CLAIM, tokens.NAMESPACE, tokens.STATEFUL_SET}),
        check=keeps_its_name,
        severity=Severity.HIGH,
        remediation_steps="Set metadata.name; all physical names are made in components/naming.py.",
        url="https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming",
    ),
    ResourceRule(
        name="storage-class-keeps",
        description="Volumes of a StorageClass can grow, outlive their claims, and are encrypted on AWS.",
        applies_to=frozenset({tokens.STORAGE_CLASS}),
        check=storage_class_keeps,
        severity=Severity.CRITICAL,
        remediation_steps="Set allowVolumeExpansion, reclaimPolicy Retain, and the parameter encrypted for AWS EBS.",
        url="https://kubernetes.io/docs/concepts/storage/storage-classes/",
    ),
)
