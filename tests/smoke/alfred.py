"""Alfred's configuration as Alfred sees it, and what its storage document asks of it."""

import base64
import hmac
import json
import subprocess
from pathlib import Path
from typing import Final

CLAIM: Final = Path("applications", "alfred", "application.yaml")

# The storage document: every variable that it reads or that its Compose files fill in, and its buckets' limits.
VARIABLES: Final = [
    "ANON_KEY",
    "SERVICE_KEY",
    "SERVICE_ROLE_KEY",
    "POSTGREST_URL",
    "PGRST_JWT_SECRET",
    "DB_JWT_SECRET",
    "DATABASE_URL",
    "DB_PASSWORD",
    "DB_NAME",
    "FILE_SIZE_LIMIT",
    "GLOBAL_S3_BUCKET",
    "STORAGE_BACKEND",
    "FILE_STORAGE_BACKEND_PATH",
    "REGION",
    "TENANT_ID",
    "IS_MULTITENANT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "ENCRYPTION_KEY",
]
LIMITS: Final = {
    "AGENT_DOCUMENTS": (10485760, "application/pdf,text/plain,application/json"),
    "USER_UPLOADS": (5242880, "image/jpeg,image/png,application/pdf"),
    "SYSTEM_BACKUPS": (104857600, "application/gzip,application/zip,application/x-tar"),
}


def load(path: Path) -> dict[str, str]:
    """The variables of an env file, read by a shell."""
    command = ["sh", "-euc", 'set -a; . "$1"; exec env -0', "sh", str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, env={})
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def verified(token: str, key: str) -> dict[str, str]:
    """The claims of a token, if `key` signed it with HS256."""
    header, payload, signature = token.split(".")
    assert json.loads(decoded(header))["alg"] == "HS256"
    expected = hmac.digest(key.encode(), f"{header}.{payload}".encode(), "sha256")
    assert hmac.compare_digest(decoded(signature), expected), "the application would refuse it"
    claims: dict[str, str] = json.loads(decoded(payload))
    return claims


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
