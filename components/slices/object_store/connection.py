"""The administrator's connection to MinIO, its users and buckets, and its failures in one clear line."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from pulumi.dynamic import CheckFailure

from components.slices.admin import Address
from components.slices.errors import RefusedError, SliceError
from components.slices.resource import name_failure
from components.trust import complaint, verified

if TYPE_CHECKING:
    from minio import Minio, MinioAdmin

P = ParamSpec("P")
T = TypeVar("T")

USER: Final = "admin"  # the administrator: a user whose secret can change while the server runs
ROOT: Final = "root"  # what the start script gives the server; it makes the administrator, and does nothing else
REGION: Final = "us-east-1"  # what MinIO calls itself; given, so that a client need not ask
TIMEOUT: Final = 5.0  # seconds, for connecting and for an answer

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, without dots: they break TLS wildcards.
BUCKET_PATTERN: Final = "[a-z0-9][a-z0-9-]+[a-z0-9]"
BUCKET_RESERVED: Final = "xn--.*|sthree-.*|minio"
NAME_LIMIT: Final = 63
USER_PATTERN: Final = "[A-Za-z_][A-Za-z0-9_-]{2,}"

# Strata's mark on what it made: the name of a user's policy begins with it, and a bucket has the tag.
MARK: Final = "strata."
TAG: Final = "strata.stack"

# Requests and answers with secrets in them are encrypted under a key that Argon2 derives, with 64 MiB on both sides:
# one at a time, so that a server with little memory is not ended by a handful of users.
_DERIVING: Final = threading.Lock()

ABSENT: Final = ("NoSuchBucket", "NoSuchBucketPolicy", "XMinioAdminNoSuchUser", "XMinioAdminNoSuchPolicy")
REFUSED: Final = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch")


def bucket_problems(property_: str, name: Any) -> list[CheckFailure]:
    """Why `name` cannot be a bucket's, if it cannot."""
    return name_failure(property_, name, pattern=BUCKET_PATTERN, limit=NAME_LIMIT, reserved=BUCKET_RESERVED)


def user_problems(property_: str, name: Any) -> list[CheckFailure]:
    """Why `name` cannot be a user's, if it cannot."""
    return name_failure(property_, name, pattern=USER_PATTERN, limit=NAME_LIMIT, reserved=f"{USER}|{ROOT}")


class Connection:
    """`s3` for buckets and objects, `admin` for users and policies, both as the administrator."""

    def __init__(self, s3: "Minio", admin: "MinioAdmin", login: Callable[[str, str], "Minio"]) -> None:
        self.s3, self.admin, self._login = s3, admin, login

    def info(self) -> dict[str, str]:
        """`identity` of the data volume and `version` of the server. Raises SliceError while it is still starting."""
        info = json.loads(self.admin.info())
        if info["mode"] != "online" or not info.get("deploymentID"):
            raise SliceError(f"MinIO is {info['mode']}")
        self.policies()  # answered only once users and policies are loaded
        return {"identity": info["deploymentID"], "version": info["servers"][0]["version"]}

    def users(self) -> dict[str, dict[str, Any]]:
        """Each user's name and facts: `policyName`, `status`."""
        with _DERIVING:
            users: dict[str, dict[str, Any]] = json.loads(self.admin.user_list())
        return users

    def user(self, name: str) -> dict[str, Any] | None:
        """The facts of one user, if there is one."""
        text = if_there(self.admin.user_info, name)
        user: dict[str, Any] | None = json.loads(text) if text else None
        return user

    def accepts(self, user: str, secret: str, bucket: str) -> bool:
        """Whether the secret is the user's, whatever it may do in the bucket."""
        from minio.error import S3Error

        try:
            next(iter(self._login(user, secret).list_objects(bucket)), None)
        except S3Error as error:
            return error.code not in ("SignatureDoesNotMatch", "InvalidAccessKeyId")
        return True

    def put_user(self, name: str, secret: str) -> None:
        """Make the user, or give it another secret."""
        with _DERIVING:
            self.admin.user_add(name, secret)

    def remove_user(self, name: str) -> None:
        """It may be gone already."""
        if_there(self.admin.user_remove, name)

    def policies(self) -> dict[str, dict[str, Any]]:
        """Each policy's name and document."""
        policies: dict[str, dict[str, Any]] = json.loads(self.admin.policy_list())
        return policies

    def policy(self, name: str) -> dict[str, Any] | None:
        """The document of one policy, if there is one of that name."""
        text = if_there(self.admin.policy_info, name) if name else None
        document: dict[str, Any] | None = json.loads(text) if text else None
        return document

    def remove_policy(self, name: str) -> None:
        """It may be gone already."""
        if_there(self.admin.policy_remove, name)

    def bucket_policy(self, bucket: str) -> dict[str, Any] | None:
        """What others than users may do in the bucket."""
        text = if_there(self.s3.get_bucket_policy, bucket)
        document: dict[str, Any] | None = json.loads(text) if text else None
        return document

    def tags(self, bucket: str) -> dict[str, str]:
        return dict(self.s3.get_bucket_tags(bucket) or {})


@contextmanager
def connect(address: Address, *, user: str = USER, timeout: float = TIMEOUT) -> Iterator[Connection]:
    """A connection as the administrator, or as another user whose secret `address` names.

    Raises RefusedError when the user or what it may do is refused, and SliceError for every other failure in or under
    it.
    """
    import urllib3
    from minio import Minio, MinioAdmin
    from minio.credentials.providers import StaticProvider
    from minio.error import MinioAdminException, MinioException

    where = f"MinIO at {address}"
    password = address.password()
    login = StaticProvider(user, password)
    host, port = address.reached()
    endpoint, secure = f"{host}:{port}", address.ca is not None
    pool = urllib3.PoolManager(timeout=timeout, retries=False, **verified(address.ca))
    try:
        admin = MinioAdmin(endpoint=endpoint, credentials=login, secure=secure, http_client=pool)

        def session(user: str, secret: str) -> Minio:
            return Minio(endpoint, user, secret, secure=secure, region=REGION, http_client=pool)

        yield Connection(session(user, password), admin, session)
    except (MinioException, MinioAdminException) as error:
        code, message = _reason(error)
        if code in REFUSED:
            raise RefusedError(f"{where}: {_refusal(user)}. If another MinIO holds this port, stop that one") from None
        raise SliceError(f"{where}: {message}") from None
    except urllib3.exceptions.HTTPError as error:
        reason = str(error).rpartition(": ")[2]
        raise SliceError(f"{where}: {complaint(error) or f'no answer ({reason}). {address.absent}'}") from None
    finally:
        pool.clear()


def if_there(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """What `call` returns, or None when the server says that it has no such thing."""
    from minio.error import MinioAdminException, MinioException

    try:
        return call(*args, **kwargs)
    except (MinioException, MinioAdminException) as error:
        if _reason(error)[0] in ABSENT:
            return None
        raise


def canonical(policy: dict[str, Any] | None) -> str:
    """A policy's document as text to compare: the server gives lists back in an order of its own."""
    return json.dumps(_sorted(policy), sort_keys=True) if policy else ""


def _refusal(user: str) -> str:
    if user == ROOT:
        return "root's password is refused. The container takes it at every start: restart it"
    return "the administrator's password is refused. `strata up` makes it the one that the server accepts"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    return sorted((_sorted(item) for item in value), key=repr) if isinstance(value, list) else value


def _reason(error: Exception) -> tuple[str, str]:
    """The server's code and sentence. The admin API answers in JSON, which its client leaves as text."""
    if hasattr(error, "code"):
        return str(error.code), f"{error.message} ({error.code})" if hasattr(error, "message") else str(error)
    text = str(error)
    try:
        body = json.loads(text[text.index("{") :])
        return str(body["Code"]), f"{body['Message']} ({body['Code']})"
    except (ValueError, KeyError):
        return "", text
