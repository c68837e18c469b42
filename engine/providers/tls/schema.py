"""What the four resources take: types, choices, defaults, and what a change of each means."""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final

from engine.providers.base import CheckFailed, Properties, Unsupported
from engine.providers.tls.usages import EXTENDED, USAGES
from engine.values import UNKNOWN

PRIVATE_KEY: Final = "tls:index/privateKey:PrivateKey"
SELF_SIGNED: Final = "tls:index/selfSignedCert:SelfSignedCert"
REQUEST: Final = "tls:index/certRequest:CertRequest"
LOCALLY_SIGNED: Final = "tls:index/locallySignedCert:LocallySignedCert"

ALGORITHMS: Final = ("RSA", "ECDSA", "ED25519")
CURVES: Final = ("P224", "P256", "P384", "P521")
SUBJECT: Final = (
    *("commonName", "country", "emailAddress", "locality", "organization", "organizationalUnit", "postalCode"),
    *("province", "serialNumber", "streetAddresses"),
)
IN_PLACE: Final = frozenset({"earlyRenewalHours"})  # all others make something else
KEPT: Final = frozenset({"maxPathLength"})  # left out later, it stays what it was

# What is wrong with a value that is known. It never shows a value: some are keys.
_Rule = Callable[[Any], Iterator[tuple[str, str]]]


def _text(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str):
        yield "", f"must be a text, and is of type {type(value).__name__}"


def _flag(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, bool):
        yield "", f"must be true or false, and is of type {type(value).__name__}"


def _count(least: int) -> _Rule:
    def rule(value: Any) -> Iterator[tuple[str, str]]:
        if type(value) is not int:
            yield "", f"must be a whole number, and is of type {type(value).__name__}"
        elif value < least:
            yield "", f"must be at least {least}, and is {value}"

    return rule


def _one_of(*choices: str) -> _Rule:
    def rule(value: Any) -> Iterator[tuple[str, str]]:
        if value not in choices:
            yield "", f"must be one of {', '.join(choices)}"

    return rule


def _list_of(rule: _Rule) -> _Rule:
    def rules(value: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(value, list):
            yield "", f"must be a list, and is of type {type(value).__name__}"
            return
        for index, item in enumerate(value):
            yield from ((f"[{index}]{path}", reason) for path, reason in _known(rule, item))

    return rules


def _ascii(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not value.isascii() or not value:
        yield "", "must be a text in ASCII: write other letters as their name service has them (xn--…)"


def _address(value: Any) -> Iterator[tuple[str, str]]:
    try:
        ip_address(value)
    except ValueError:
        yield "", f"{value!r} is no IP address"


def _subject(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield "", f"must be an object, and is of type {type(value).__name__}"
        return
    for key, item in value.items():
        if key not in SUBJECT:
            yield f".{key}", f"unknown property; there are {', '.join(SUBJECT)}"
            continue
        rule = _list_of(_text) if key == "streetAddresses" else _text
        yield from ((f".{key}{path}", reason) for path, reason in _known(rule, item))
    name, country = value.get("commonName"), value.get("country")
    if isinstance(name, str) and len(name.encode()) > 64:
        yield ".commonName", "X.509 allows 64 bytes: give longer names as dnsNames, which is what clients compare"
    if isinstance(country, str) and len(country.encode()) not in (0, 2):
        yield ".country", "must be the two letters of a country"


def _known(rule: _Rule, value: Any) -> Iterator[tuple[str, str]]:
    return iter(()) if value is UNKNOWN or value is None else rule(value)


_NAMED: Final[dict[str, _Rule]] = {
    "privateKeyPem": _text,
    "subject": _subject,
    "dnsNames": _list_of(_ascii),
    "ipAddresses": _list_of(_address),
    "uris": _list_of(_ascii),
}
_ISSUED: Final[dict[str, _Rule]] = {
    "validityPeriodHours": _count(0),
    "allowedUses": _list_of(_one_of(*sorted({*USAGES, *EXTENDED}))),
    "isCaCertificate": _flag,
    "maxPathLength": _count(-1),
    "earlyRenewalHours": _count(0),
    "setSubjectKeyId": _flag,
}
_INPUTS: Final[dict[str, dict[str, _Rule]]] = {
    PRIVATE_KEY: {"algorithm": _one_of(*ALGORITHMS), "rsaBits": _count(1024), "ecdsaCurve": _one_of(*CURVES)},
    REQUEST: _NAMED,
    SELF_SIGNED: {**_NAMED, **_ISSUED, "setAuthorityKeyId": _flag},
    LOCALLY_SIGNED: {"certRequestPem": _text, "caCertPem": _text, "caPrivateKeyPem": _text, **_ISSUED},
}
_REQUIRED: Final = {
    PRIVATE_KEY: ("algorithm",),
    REQUEST: ("privateKeyPem",),
    SELF_SIGNED: ("privateKeyPem", "allowedUses", "validityPeriodHours"),
    LOCALLY_SIGNED: ("certRequestPem", "caCertPem", "caPrivateKeyPem", "allowedUses", "validityPeriodHours"),
}
_ISSUED_DEFAULTS: Final[Properties] = {"earlyRenewalHours": 0, "isCaCertificate": False, "setSubjectKeyId": False}
_DEFAULTS: Final[dict[str, Properties]] = {
    PRIVATE_KEY: {"ecdsaCurve": "P224", "rsaBits": 2048},
    REQUEST: {},
    SELF_SIGNED: {**_ISSUED_DEFAULTS, "setAuthorityKeyId": False},
    LOCALLY_SIGNED: _ISSUED_DEFAULTS,
}


def checked(resource_type: str, inputs: Properties) -> Properties:
    """The program's inputs, without what is null. Raises CheckFailed or Unsupported."""
    rules = _rules(resource_type)
    given = {key: _without_null(value) for key, value in inputs.items() if value is not None}
    failures = [(key, _unknown(key)) for key in given if key not in rules]
    failures += [(key, "is required") for key in _REQUIRED[resource_type] if key not in given]
    failures += [
        (f"{key}{path}", reason)
        for key, value in given.items()
        if key in rules
        for path, reason in _known(rules[key], value)
    ]
    if not failures and resource_type == SELF_SIGNED and given.get("isCaCertificate") is True:
        subject = given.get("subject", {})
        if subject is not UNKNOWN and not any(subject.values()):
            failures.append(("subject", "must say something: others name the authority by it"))
    if failures:
        raise CheckFailed(failures)
    return given


def settings(resource_type: str, given: Mapping[str, Any]) -> Properties:
    """All settings of a resource, the provider's defaults filled in."""
    rules = _rules(resource_type)
    return {**_DEFAULTS[resource_type], **{key: given[key] for key in rules if given.get(key) is not None}}


def _rules(resource_type: str) -> dict[str, _Rule]:
    if resource_type not in _INPUTS:
        raise Unsupported(
            f"{resource_type} is not supported by the embedded engine (of package tls it has PrivateKey, CertRequest, "
            "SelfSignedCert and LocallySignedCert); use the pulumi CLI for this stack"
        )
    return _INPUTS[resource_type]


def _unknown(key: str) -> str:
    if "Wo" in key:  # write-only: the state would not have it
        return "the embedded engine has no write-only properties: leave out `Wo`, the state keeps it encrypted"
    return "unknown property"


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not None}
    return value
