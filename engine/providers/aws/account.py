"""The way to one AWS account: whose credentials, over which endpoints, and what its errors mean for a user."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

from engine.providers.aws.configuration import Configuration
from engine.providers.aws.failures import code_of, explain
from engine.providers.base import ProviderError

CONNECT_TIMEOUT: Final = 5  # seconds
ANSWER_TIMEOUT: Final = 60
# AWS answers from several places that learn of a change one after the other, as a rule within seconds.
PATIENCE: Final = 60.0
_LONGEST_PAUSE: Final = 2.0
# Another change of the same bucket is under way: it has to be asked again.
BUSY: Final = ("OperationAborted", "ConcurrentModification", "ConcurrentModificationException")

T = TypeVar("T")
Client: TypeAlias = Any  # boto3's clients are made at run time, and have no types


class Account:
    """Clients by service, made once; they may be used by many threads."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises ProviderError if there are no credentials, or those of an account that is not allowed."""
        self._configuration = configuration
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        with self.calling("the AWS account", "sts"):
            self._session = _session(configuration)
            for role in configuration.roles:
                self._session = self._assumed(role)
        self.region = configuration.region or str(self._session.region_name or "")
        self.partition = str(self._session.get_partition_for_region(self.region or "us-east-1"))
        self.id = self._identified() if configuration.asks_who else ""

    @property
    def dns_suffix(self) -> str:
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def owner(self) -> dict[str, str]:
        """Among the arguments of a request to S3: it is refused if the bucket is another account's."""
        return {"ExpectedBucketOwner": self.id} if self.id else {}

    def client(self, service: str) -> Client:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._client(service)
            return self._clients[service]

    @contextmanager
    def calling(self, action: str, service: str) -> Iterator[None]:
        """What fails inside becomes a ProviderError that begins with `action`."""
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise ProviderError(f"{action}: {explain(error, service, self._configuration)}") from error

    def caller(self) -> dict[str, str]:
        """`Account`, `Arn` and `UserId` of the credentials."""
        with self.calling("the AWS account", "sts"):
            answer = self.client("sts").get_caller_identity()
        return {key: str(answer[key]) for key in ("Account", "Arn", "UserId")}

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _client(self, service: str) -> Client:
        from botocore.config import Config  # type: ignore[import-untyped]

        configuration = self._configuration
        settings = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=ANSWER_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": configuration.attempts},
            max_pool_connections=50,
            s3={"addressing_style": "path"} if configuration.path_style else {},
        )
        region = configuration.region or self._session.region_name
        return self._session.client(
            service, region_name=region, endpoint_url=configuration.endpoints.get(service), config=settings
        )

    def _assumed(self, role: Any) -> Any:
        import boto3  # type: ignore[import-untyped]

        given = self._client("sts").assume_role(**role)["Credentials"]
        return boto3.session.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], self._configuration.region
        )

    def _identified(self) -> str:
        configuration, caller = self._configuration, self.caller()
        account, arn = caller["Account"], caller["Arn"]
        if (configuration.allowed and account not in configuration.allowed) or account in configuration.forbidden:
            wanted = f"only {', '.join(configuration.allowed)}" if configuration.allowed else "not this one"
            raise ProviderError(
                f"the AWS credentials are of the account {account} ({arn}), and the provider's settings allow {wanted}."
                " Use other credentials (AWS_PROFILE), or write the account's id into the settings. Nothing was changed"
            )
        return account


def _session(configuration: Configuration) -> Any:
    try:
        import boto3
    except ModuleNotFoundError:
        raise ProviderError("the AWS provider of this engine needs the package boto3: pip install boto3") from None
    return boto3.session.Session(
        configuration.access_key,
        configuration.secret_key,
        configuration.token,
        configuration.region,
        profile_name=configuration.profile,
    )


def found(request: Callable[[], T], *absent: str) -> T | None:
    """The answer, or None if AWS itself says that there is no such thing, by one of the codes."""
    from botocore.exceptions import ClientError

    try:
        return request()
    except ClientError as error:
        if code_of(error) in absent:
            return None
        raise


def patiently(request: Callable[[], T], codes: Collection[str] = (), seconds: float = PATIENCE) -> T:
    """The answer, however long AWS needs to know of what was made just before: `codes` are what it says until then."""
    from botocore.exceptions import ClientError

    deadline, pause = time.monotonic() + seconds, 0.1
    while True:
        try:
            return request()
        except ClientError as error:
            if code_of(error) not in (*BUSY, *codes) or time.monotonic() >= deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
