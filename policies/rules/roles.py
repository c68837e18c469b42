"""Roles of Postgres: a login has a limit, and no application becomes more than it was meant to be."""

import re
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import tokens, values
from policies.rules.rule import ResourceRule

# Roles that come with Postgres and reach beyond one database (https://www.postgresql.org/docs/17/predefined-roles.html).
# Names that begin with pg_ are Postgres' own; these three let a role do what harms nobody.
_POWERFUL = re.compile(r"postgres|pg_(?!monitor$|read_all_stats$|stat_scan_tables$).*")


def no_powerful_group(args: ResourceValidationArgs) -> Iterator[str]:
    for index, group in enumerate(values.each(args.props, "member_of")):
        if _POWERFUL.fullmatch(group):
            yield (
                f"member_of[{index}]: {group} reaches what belongs to others; write a group of the application's own "
                "under `postgres.roles`, and grant it what it needs in a migration"
            )


def login_has_a_limit(args: ResourceValidationArgs) -> Iterator[str]:
    if args.props.get("login") and values.number(args.props, "connection_limit") < 0:
        yield (
            "connection_limit: one client without end takes every connection of the server; write "
            "`connection_limit: 20` in the application's claim"
        )


RULES = (
    ResourceRule(
        name="no-powerful-group",
        description="A role is a member of groups of its application only.",
        applies_to=frozenset({tokens.ROLE}),
        check=no_powerful_group,
        severity=Severity.CRITICAL,
        remediation_steps="Declare a group in postgres.roles and grant to it in a migration.",
        url="https://www.postgresql.org/docs/17/predefined-roles.html",
    ),
    ResourceRule(
        name="login-has-a-limit",
        description="A login has a largest number of connections.",
        applies_to=frozenset({tokens.ROLE}),
        check=login_has_a_limit,
        severity=Severity.MEDIUM,
        remediation_steps="Set connection_limit.",
        url="https://www.postgresql.org/docs/17/sql-createrole.html",
    ),
)
