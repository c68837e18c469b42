"""What is left to somebody who got into a container."""

from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import tokens, values
from policies.rules.rule import ResourceRule

# What an official image's entrypoint needs to chown its data and step down from root. Nothing else is granted.
_STEP_DOWN = frozenset({"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"})


def capabilities_dropped(args: ResourceValidationArgs) -> Iterator[str]:
    capabilities = args.props.get("capabilities") or {}
    if "ALL" not in _capabilities(capabilities, "drops"):
        yield (
            "capabilities: the container keeps Docker's default capabilities; write "
            'capabilities=ContainerCapabilitiesArgs(drops=["ALL"])'
        )
    if excess := sorted(set(_capabilities(capabilities, "adds")) - _STEP_DOWN):
        yield (
            f"capabilities.adds: {', '.join(excess)} is more than a backend needs; leave out everything but "
            f"{', '.join(sorted(_STEP_DOWN))}"
        )


def no_new_privileges(args: ResourceValidationArgs) -> Iterator[str]:
    options = {option.replace("=", ":") for option in values.each(args.props, "securityOpts")}
    if not options & {"no-new-privileges", "no-new-privileges:true"}:
        yield 'security_opts: a setuid program can become root; write security_opts=["no-new-privileges:true"]'
    for option in sorted(options & {"seccomp:unconfined", "apparmor:unconfined"}):
        yield f'security_opts: "{option}" switches off the kernel\'s confinement; leave it out'
    if args.props.get("privileged"):
        yield "privileged: the container is root on the host; leave it out"


def root_filesystem_read_only(args: ResourceValidationArgs) -> Iterator[str]:
    if not args.props.get("readOnly"):
        yield (
            "read_only: the image's files can be changed from inside; write read_only=True, and tmpfs={…} for the "
            "folders that the server writes to besides its volume"
        )


def user_not_root(args: ResourceValidationArgs) -> Iterator[str]:
    user = args.props.get("user") or ""
    if user.partition(":")[0] in ("", "0", "root"):
        start = f'as "{user}"' if user else "as whoever the image says, which is root in the official ones"
        yield f'user: the container starts {start}; write the server\'s own uid and gid, as in user="999:999"'


def _capabilities(capabilities: values.Inputs, key: str) -> list[str]:
    return [name.upper().removeprefix("CAP_") for name in values.each(capabilities, key)]


_URL = "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html"

RULES = (
    ResourceRule(
        name="capabilities-dropped",
        description="A container drops all capabilities and takes back no more than it needs to start.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=capabilities_dropped,
        severity=Severity.HIGH,
        remediation_steps='Set capabilities=ContainerCapabilitiesArgs(drops=["ALL"]) and start as the server\'s user.',
        url=_URL,
    ),
    ResourceRule(
        name="no-new-privileges",
        description="A container's processes cannot gain privileges.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=no_new_privileges,
        severity=Severity.HIGH,
        remediation_steps='Set security_opts=["no-new-privileges:true"] and leave privileged out.',
        url=_URL,
    ),
    ResourceRule(
        name="root-filesystem-read-only",
        description="A container's root filesystem is read-only.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=root_filesystem_read_only,
        severity=Severity.MEDIUM,
        remediation_steps="Set read_only=True; give sockets and temporary files a tmpfs, and data its volume.",
        url=_URL,
    ),
    ResourceRule(
        name="user-not-root",
        description="A container runs as its server's own user.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=user_not_root,
        severity=Severity.HIGH,
        remediation_steps="Set user to the uid and gid that own the data in the image.",
        url=_URL,
    ),
)
