"""The resource types that rules look at, spelled as the engine spells them.

A rule with a misspelled token never fires, so `tests/policies/test_pack.py` pins each of these to its SDK class.
"""

STACK = "pulumi:pulumi:Stack"

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
VOLUME = "docker:index/volume:Volume"
PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
RANDOM_PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type

COLLECTION = "pulumi-python:dynamic/strata:Collection"
DATABASE = "pulumi-python:dynamic/strata:Database"
DEFAULT_USER = "pulumi-python:dynamic/strata:RedisDefaultUser"
KEPT_SECRET = "pulumi-python:dynamic/strata:KeptSecret"  # noqa: S105 - a type
OBJECT_STORE_USER = "pulumi-python:dynamic/strata:ObjectStoreUser"
QDRANT_LOGIN = "pulumi-python:dynamic/strata:QdrantLogin"
REDIS_USER = "pulumi-python:dynamic/strata:RedisUser"
BUCKET = "pulumi-python:dynamic/strata:Bucket"
PUBLIC_BUCKET = "pulumi-python:dynamic/strata:PublicBucket"
ROLE = "pulumi-python:dynamic/strata:Role"
SECRET_FILE = "pulumi-python:dynamic/strata:SecretFile"  # noqa: S105 - a type

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
CRON_JOB = "kubernetes:batch/v1:CronJob"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DISRUPTION_BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
JOB = "kubernetes:batch/v1:Job"
NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
POD = "kubernetes:core/v1:Pod"
SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a type
SERVICE = "kubernetes:core/v1:Service"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
