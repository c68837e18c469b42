"""Who can reach a backend."""

import ipaddress
from collections.abc import Iterator

from pulumi_policy import ResourceValidationArgs, Severity

from policies.rules import tokens, values
from policies.rules.rule import ResourceRule


def ports_on_loopback(args: ResourceValidationArgs) -> Iterator[str]:
    props = args.props
    for index, port in enumerate(values.each(props, "ports")):
        address = port.get("ip") or "0.0.0.0"  # noqa: S104 - Docker's default is what this rule is about
        if not _is_loopback(address):
            yield (
                f"ports[{index}]: port {port['internal']:g} is published on {address}, which other machines reach, "
                'past the host\'s firewall; write ip="127.0.0.1"'
            )
    if props.get("publishAllPorts"):
        yield (
            "publish_all_ports: every port of the image is published on all addresses; write "
            'ports=[ContainerPortArgs(internal=…, external=…, ip="127.0.0.1")]'
        )
    if props.get("networkMode") == "host":
        yield (
            'network_mode: "host" puts every port of the container on all addresses of this machine; write '
            "networks_advanced=[ContainerNetworksAdvancedArgs(name=network.name)]"
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


RULES = (
    ResourceRule(
        name="ports-on-loopback",
        description="A container publishes its ports on a loopback address only.",
        applies_to=frozenset({tokens.CONTAINER}),
        check=ports_on_loopback,
        severity=Severity.CRITICAL,
        remediation_steps="Publish on 127.0.0.1; let other containers join the stack's network instead.",
        url="https://docs.docker.com/engine/network/port-publishing/",
    ),
)
