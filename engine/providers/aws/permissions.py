"""Which action a caller needs for a request: what to add to a policy when AWS answers AccessDenied."""

import re
from typing import Final

# Operations of S3 that are called otherwise than the action that allows them
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
_OTHERWISE: Final = {
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
# "User: arn:… is not authorized to perform: kms:CreateKey on resource: … because no identity-based policy allows …"
_SAID: Final = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9*]+)(?: on resource: (\S+))?")


def missing(service: str, operation: str, message: str) -> str:
    """What the caller lacks: as AWS says it, or else as the operation shows it."""
    if said := _SAID.search(message):
        resource = f" on {said[2]}" if said[2] else ""
        return f"{said[1]}{resource}"
    name = _OTHERWISE.get(operation, operation) if service == "s3" else operation
    return f"{service}:{name}"
