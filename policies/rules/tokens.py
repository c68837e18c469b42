"""The resource types that rules look at, spelled as the engine spells them.

A rule with a misspelled token never fires, so `tests/policies/test_pack.py` pins each of these to its SDK class.
"""

STACK = "pulumi:pulumi:Stack"

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
VOLUME = "docker:index/volume:Volume"
RANDOM_PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type

COLLECTION = "pulumi-python:dynamic/strata:Collection"
DATABASE = "pulumi-python:dynamic/strata:Database"
DEFAULT_USER = "pulumi-python:dynamic/strata:RedisDefaultUser"
OBJECT_STORE_USER = "pulumi-python:dynamic/strata:ObjectStoreUser"
QDRANT_LOGIN = "pulumi-python:dynamic/strata:QdrantLogin"
REDIS_USER = "pulumi-python:dynamic/strata:RedisUser"
BUCKET = "pulumi-python:dynamic/strata:Bucket"
PUBLIC_BUCKET = "pulumi-python:dynamic/strata:PublicBucket"
ROLE = "pulumi-python:dynamic/strata:Role"
SECRET_FILE = "pulumi-python:dynamic/strata:SecretFile"  # noqa: S105 - a type
