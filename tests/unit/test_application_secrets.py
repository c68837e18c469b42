"""Generated secrets and tokens of an application: never plain, and a token is its secret's."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pulumi
from pulumi.runtime import Mocks, mocks

from components.applications import ApplicationSecrets
from components.claims import Application
from components.docker.platform import DockerPlatform
from components.jwt_hs256 import sign
from components.naming import Naming
from components.platform import Platform

APPLICATION = Application.model_validate(
    {
        "name": "billing",
        "description": "x",
        "secrets": {"jwt_secret": {"rotation": 2, "length": 40}, "file_key": {"keep": True}},
        "tokens": {"anon_key": {"signed_with": "jwt_secret", "claims": {"role": "anon", "exp": 1799535600}}},
    }
)


class Generator(Mocks):
    """The random provider's part, and a host that has a kept key already."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.inputs[args.name] = dict(args.inputs)
        return args.name, {**args.inputs, "result": f"made-{args.name}", "value": "of an earlier state"}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(args.token)


class Host:
    """The part of the Docker platform that keeps a secret."""

    naming = Naming(project="strata", stack="test", prefix="test-")
    kept_secret = DockerPlatform.kept_secret


def declared(check: Callable[[ApplicationSecrets, Generator], Awaitable[None]]) -> None:
    generator = Generator()
    pulumi.runtime.set_mocks(generator, project="strata", stack="test", preview=False)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def declare() -> Any:
        made = ApplicationSecrets("x", APPLICATION, cast(Platform, Host()))
        return pulumi.Output.from_input(None).apply(lambda _: check(made, generator))

    declare()
    mocks.set_mocks(Generator())  # leaves no state of this program to the next test


def test_all_are_secrets_and_a_token_is_signed_with_its_own() -> None:
    async def check(made: ApplicationSecrets, generator: Generator) -> None:
        for output in (*made.secrets.values(), *made.tokens.values()):
            assert await output.is_secret(), "it would stand in the state and on the terminal as it is"
        key = "made-billing-secret-jwt_secret"
        assert await made.secrets["jwt_secret"].future() == key
        assert await made.tokens["anon_key"].future() == sign({"exp": 1799535600, "role": "anon"}, key)

    declared(check)


def test_a_rotation_makes_another_secret_of_the_wanted_length() -> None:
    async def check(made: ApplicationSecrets, generator: Generator) -> None:
        await made.secrets["jwt_secret"].future()
        wanted = generator.inputs["billing-secret-jwt_secret"]
        assert (wanted["keepers"], wanted["length"], wanted["special"]) == ({"rotation": "2"}, 40, False)

    declared(check)


def test_a_kept_secret_is_the_one_that_the_host_has() -> None:
    async def check(made: ApplicationSecrets, generator: Generator) -> None:
        assert await made.secrets["file_key"].future() == "of an earlier state", "kept data could not be read again"
        file = generator.inputs["billing-secret-file_key-kept"]
        assert (file["stack"], file["secret"], file["keep"]) == ("test", "applications/billing/file_key", True)

    declared(check)
