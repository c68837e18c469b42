"""A policy pack for tests: a folder with a few policies, some of which cannot be had from a pack that behaves."""

import textwrap
from pathlib import Path

from engine.api import PackChoice

PROJECT = "runtime: python\nversion: 1.2.3\n"

HEAD = """
from pulumi_policy import (
    EnforcementLevel, PolicyConfigSchema, PolicyPack, ResourceValidationPolicy, StackValidationPolicy,
)

THING = "test:index:Thing"
LEVELS = EnforcementLevel


def resource(name, level=LEVELS.MANDATORY, **options):
    def make(validate):
        return ResourceValidationPolicy(name, f"About {name}.", validate, enforcement_level=level, **options)
    return make


def stack(name, level=LEVELS.MANDATORY):
    return lambda validate: StackValidationPolicy(name, f"About {name}.", validate, enforcement_level=level)
"""

# Complains of values above 10 and advises against those above 5, makes "dear" things "cheap", allows two in a stack.
POLICIES = """
@resource("small", config_schema=PolicyConfigSchema({"limit": {"type": "number", "default": 10}}))
def small(args, report):
    limit = args.get_config()["limit"]
    if args.resource_type == THING and args.props.get("value", 0) > limit:
        report(f"value: {args.props['value']:.0f} is too much; write at most {limit:.0f}")


@resource("modest", LEVELS.ADVISORY)
def modest(args, report):
    if args.resource_type == THING and args.props.get("value", 0) > 5:
        report("value: it could be less")


def cheaper(args):
    if args.resource_type == THING and args.props.get("kind") == "dear":
        return {**args.props, "kind": "cheap"}


cheap = ResourceValidationPolicy("cheap", "About cheap.", remediate=cheaper, enforcement_level=LEVELS.REMEDIATE)


@stack("few")
def few(args, report):
    things = [resource for resource in args.resources if resource.resource_type == THING]
    for resource in sorted(things, key=lambda thing: thing.name)[2:]:
        report("it is one thing too many", resource.urn)


PolicyPack("test-pack", [small, modest, cheap, few])
"""


def make_pack(folder: Path, policies: str = POLICIES, project: str = PROJECT) -> PackChoice:
    folder.mkdir(exist_ok=True)
    (folder / "PulumiPolicy.yaml").write_text(project)
    (folder / "__main__.py").write_text(HEAD + textwrap.dedent(policies))
    return PackChoice(folder=folder)
