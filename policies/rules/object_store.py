"""Objects outlive mistakes, and are nobody's to read but those who were meant to."""

import re
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import container, tokens, values
from policies.rules.rule import ResourceRule

# Days in which somebody notices that an object was overwritten or deleted.
_LEAST_DAYS = 7

# Whether the server has a key, and whether it uses it for objects that come without a wish.
_KEY = re.compile(r"\bMINIO_KMS_(SECRET_KEY|SECRET_KEY_FILE|KES_ENDPOINT|SERVER)=")
_ALWAYS = re.compile(r"\bMINIO_KMS_AUTO_ENCRYPTION=[\"']?on\b")


def public_bucket(args: ResourceValidationArgs) -> Iterator[str]:
    yield (
        f"bucket: everybody who can reach the server reads the objects of {args.props['bucket']}; leave out "
        "`public: true` in the application's claim, or record in policies/exceptions.yaml why it must be, and how long"
    )


def bucket_keeps_versions(args: ResourceValidationArgs) -> Iterator[str]:
    if args.props.get("versioning") is False:
        yield (
            "versioning: what is overwritten or deleted is gone at once, by a mistake and by an intruder; leave out "
            "`versioning: false` in the application's claim"
        )
        return
    days = values.number(args.props, "noncurrent_days")
    if days < _LEAST_DAYS:
        yield (
            f"noncurrent_days: {days:g} days are over before anybody notices what was lost; write "
            f"`noncurrent_days: {_LEAST_DAYS}` or more in the application's claim"
        )


def objects_encrypted(args: ResourceValidationArgs) -> Iterator[str]:
    if container.backend(args.props) != "minio":
        return
    said = container.said(args.props)
    if not _KEY.search(said):
        yield (
            "envs: the server has no key, so objects lie on the disk as they are; write "
            "MINIO_KMS_SECRET_KEY_FILE=/run/strata/secrets/encryption-key, and MINIO_KMS_AUTO_ENCRYPTION=on"
        )
    elif not _ALWAYS.search(said):
        yield (
            "envs: only what a client asks to be encrypted is, and no client of ours asks; write "
            "MINIO_KMS_AUTO_ENCRYPTION=on"
        )


RULES = (
    ResourceRule(
        name="public-bucket",
        description="A bucket is open to everybody only where somebody has decided so, for a time.",
        applies_to=frozenset({tokens.PUBLIC_BUCKET}),
        check=public_bucket,
        severity=Severity.CRITICAL,
        remediation_steps="Take public out of the claim and hand out presigned links, or record an exception.",
        url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
    ),
    ResourceRule(
        name="bucket-keeps-versions",
        description="A bucket keeps what is overwritten and deleted for a week at least.",
        applies_to=frozenset({tokens.BUCKET}),
        check=bucket_keeps_versions,
        severity=Severity.HIGH,
        remediation_steps="Leave versioning on, and noncurrent_days at 7 or more.",
        url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    ),
    ResourceRule(
        name="objects-encrypted",
        description="Every object is encrypted before it is written, whether its client asks or not.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=objects_encrypted,
        severity=Severity.HIGH,
        remediation_steps="Give the server a key as a file, and switch auto-encryption on.",
        url="https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html",
    ),
)
