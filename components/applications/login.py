"""A login of an application, and how its password is made."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_random as random

# Letters and digits only, so that a password needs no quoting in any format, and as strong as 190 bits.
PASSWORD_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class Login:
    """A name and its password; the password is a secret from birth."""

    username: str
    password: pulumi.Output[str]


def password(name: str, parent: pulumi.Resource, *, keepers: Mapping[str, str] | None = None) -> pulumi.Output[str]:
    """A generated password of PASSWORD_LENGTH letters and digits; another one when `keepers` change."""
    options = pulumi.ResourceOptions(parent=parent)
    made = random.RandomPassword(name, length=PASSWORD_LENGTH, special=False, keepers=keepers, opts=options)
    result: pulumi.Output[str] = made.result
    return result
