"""S3 buckets, KMS keys and IAM identities, recorded in the shapes of the official provider `aws` 7."""

from engine.providers.aws.provider import AwsProvider

__all__ = ["AwsProvider"]
