"""Failures as Qdrant answers them: an HTTP status, the gRPC status that goes with it, and Qdrant's wording."""

from typing import ClassVar

import grpc


class ApiError(Exception):
    """A request that is answered with an error. The message is what the caller reads, after `prefix`."""

    status: ClassVar[int]
    code: ClassVar[grpc.StatusCode]
    prefix: ClassVar[str] = ""
    plain: ClassVar[bool] = False
    """Answered as plain text: Qdrant's authentication comes before its JSON."""
    of_engine: bool = False
    """Found when the request was carried out, and not on its arrival."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{self.prefix}{message}")


class BadInputError(ApiError):
    status, code, prefix = 400, grpc.StatusCode.INVALID_ARGUMENT, "Wrong input: "


class BadRequestError(ApiError):
    status, code, prefix = 400, grpc.StatusCode.INVALID_ARGUMENT, "Bad request: "


class MalformedError(ApiError):
    """A body that is not JSON, or not of the form that the endpoint takes."""

    status, code = 400, grpc.StatusCode.INVALID_ARGUMENT


class InvalidError(ApiError):
    """A body of the right form with a value outside of what is allowed."""

    status, code = 422, grpc.StatusCode.INVALID_ARGUMENT


class ForbiddenError(ApiError):
    status, code, prefix = 403, grpc.StatusCode.PERMISSION_DENIED, "Forbidden: "


class NotFoundError(ApiError):
    status, code, prefix = 404, grpc.StatusCode.NOT_FOUND, "Not found: "


class AlreadyExistsError(ApiError):
    status, code, prefix = 409, grpc.StatusCode.ALREADY_EXISTS, "Wrong input: "


class InternalError(ApiError):
    status, code, prefix = 500, grpc.StatusCode.INTERNAL, "Service internal error: "


class NotOfferedError(ApiError):
    """A part of Qdrant's API that the stand-in leaves out."""

    status, code, prefix = 501, grpc.StatusCode.UNIMPLEMENTED, "Not offered by this stand-in for Qdrant: "


class NotAuthenticatedError(ApiError):
    status, code, plain = 401, grpc.StatusCode.UNAUTHENTICATED, True


class TokenRefusedError(ApiError):
    status, code, plain = 403, grpc.StatusCode.PERMISSION_DENIED, True


# How the engine begins what is the server's fault, and not the caller's.
_INTERNAL = ("Service runtime error", "Inconsistent storage", "Out of memory", "Operation cancelled", "Storage file")


def from_engine(error: Exception) -> ApiError:
    """The engine raises plain exceptions, and says in the text alone what is wrong."""
    found = _sorted_out(str(error))
    found.of_engine = True
    return found


def _sorted_out(text: str) -> ApiError:
    if text.startswith("No point with id"):
        return NotFoundError(f"{text} found")
    if text.endswith("Shard is not initialized"):
        return NotFoundError("The collection was deleted meanwhile")
    if text.startswith("Index required"):
        return BadRequestError(text)
    if text.startswith(_INTERNAL):
        return InternalError(text.removeprefix("Service runtime error: "))
    return BadInputError(text)
