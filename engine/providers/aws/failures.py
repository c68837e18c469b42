"""What AWS' errors, and those of the way to it, mean for a user: AWS' own code, and what to do."""

from typing import TYPE_CHECKING, Any, Final

from engine.providers.aws.permissions import missing

if TYPE_CHECKING:
    from engine.providers.aws.configuration import Configuration

LOG_IN: Final = "log in again (`aws sso login`, or new keys), then run this again"
NONE: Final = (
    "no AWS credentials are found. Export AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a "
    "role gives some"
)
DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "UnauthorizedAccess", "403"}
)
_ENDED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "NotSignedUp",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_SKEWED: Final = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
# How AWS says in the text of a refused signature that the clock is the reason.
_CLOCK: Final = ("Signature expired", "Signature not yet current")
_ELSEWHERE: Final = frozenset({"301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
_REDIRECTED: Final = frozenset({"PermanentRedirect", "TemporaryRedirect"})


def code_of(error: Exception) -> str:
    """AWS' code, such as `NoSuchBucket`; empty if the error is not an answer of AWS."""
    response: Any = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def explain(error: Exception, service: str, configuration: "Configuration") -> str:
    """One sentence or two, without any secret."""
    code, kind = code_of(error), type(error).__name__
    if not code:
        return _on_the_way(error, kind, service, configuration)
    message, operation = _message(error), str(getattr(error, "operation_name", ""))
    region = configuration.region or "the default one"
    if code in _SKEWED or any(sign in message for sign in _CLOCK):
        return (
            f"AWS refuses the request's time ({code}): the clock of this machine is wrong. Set it, for instance with "
            "`timedatectl set-ntp true`, then run this again"
        )
    if code in _ENDED:
        return f"the AWS credentials have ended ({code}): {LOG_IN}"
    if code in _UNKNOWN:
        return f"AWS does not accept these credentials ({code}): {LOG_IN}"
    if code in DENIED:
        lacking = missing(service, operation, message)
        return f"the credentials may not do this ({code}): give them {lacking}. AWS says: {message}"
    if code in _ELSEWHERE | _REDIRECTED:
        return f"it lies in another region than {region} ({code}): {message}"
    if code == "LimitExceeded" or code.endswith("LimitExceededException"):
        return f"a limit of the account is reached ({code}): {message}"
    return f"{message} ({code})" if message else code


def _message(error: Exception) -> str:
    response: Any = getattr(error, "response", {})
    return " ".join(str(response.get("Error", {}).get("Message", "")).split())


def _on_the_way(error: Exception, kind: str, service: str, configuration: "Configuration") -> str:
    where = configuration.endpoints.get(service) or f"AWS ({service}, {configuration.region or 'no region'})"
    if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return NONE
    if kind == "ProfileNotFound":
        return f"there is no AWS profile `{configuration.profile}` on this machine: write another one, or make it"
    if kind in ("TokenRetrievalError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "SSOError"):
        return f"the AWS session of single sign-on has ended: {LOG_IN}"
    if kind == "NoRegionError":
        return "no AWS region is set: give the provider one, or export AWS_REGION"
    if kind in ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ProxyConnectionError"):
        return f"nobody answers at {where}. Is the network up, and the address right?"
    if kind == "ReadTimeoutError":
        return f"{where} did not answer in time; run this again"
    if kind == "SSLError":
        return f"the certificate of {where} cannot be trusted: {error}"
    return f"{where}: {' '.join(str(error).split())}"
