"""Every rule refuses what it should, only that, and says what to write instead."""

from dataclasses import replace

import pytest
from pulumi_policy.proxy import UNKNOWN_ARRAY_VALUE, UNKNOWN_STRING_VALUE

from policies.rules import RULES, ResourceRule, tokens
from tests.policies.cases import BARE, CASES, POSTGRES, REDIS, Case, container
from tests.policies.harness import Example, evaluate, remediate, secret

REMEDIATED = frozenset(rule.name for rule in RULES if isinstance(rule, ResourceRule) and rule.remediate)


def _evaluate(case: Case) -> dict[str, list[str]]:
    findings, undecided = evaluate(*case.examples)
    assert not undecided
    return findings


@pytest.mark.parametrize("case", [case for case in CASES if case.violates], ids=str)
def test_a_violation_is_found_by_its_rule_alone_and_says_what_to_write(case: Case) -> None:
    findings = _evaluate(case)
    assert list(findings) == [case.rule], "the change must trip its own rule and no other"
    text = "\n".join(findings[case.rule])
    assert not [part for part in case.says if part not in text], text


@pytest.mark.parametrize("case", [case for case in CASES if not case.violates], ids=str)
def test_what_is_right_passes_every_rule(case: Case) -> None:
    assert _evaluate(case) == {}


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_has_a_violating_and_a_passing_case(rule: str) -> None:
    assert {case.violates for case in CASES if case.rule == rule} == {True, False}


def test_every_case_belongs_to_a_rule_and_says_what_it_expects() -> None:
    assert {case.rule for case in CASES} <= {rule.name for rule in RULES}
    assert len({str(case) for case in CASES}) == len(CASES)
    assert {case for case in CASES if case.violates != bool(case.says)} == set()


def test_no_message_repeats_the_credential_that_it_found() -> None:
    for case in CASES:
        for messages in _evaluate(case).values():
            assert "hunter2" not in "\n".join(messages)


@pytest.mark.parametrize("examples", BARE, ids=lambda examples: examples[0].type.rpartition(":")[2])
def test_an_unknown_value_is_never_an_error_nor_a_violation(examples: tuple[Example, ...]) -> None:
    example, *around = examples
    for key in example.inputs:
        findings, _ = evaluate(replace(example, inputs={**example.inputs, key: UNKNOWN_STRING_VALUE}), *around)
        assert findings == {}, key


@pytest.mark.parametrize("case", [case for case in CASES if case.rule in REMEDIATED], ids=str)
def test_a_remediation_leaves_nothing_to_find_and_what_is_right_as_it_is(case: Case) -> None:
    *beside, example = case.examples
    mended, changed = remediate(example)
    if example.type in (tokens.VOLUME, tokens.NETWORK):
        assert not changed, "another label would be another volume, without the data"
    else:
        assert changed == [case.rule] * case.violates
        assert evaluate(*beside, mended)[0] == {}
    assert remediate(mended) == (mended, [])


def test_a_remediation_keeps_what_is_secret_or_not_known_yet() -> None:
    state = {"label": "strata.state", "value": UNKNOWN_STRING_VALUE}
    inputs = {**POSTGRES, "logOpts": {}, "image": UNKNOWN_STRING_VALUE, "envs": secret(["A=b"]), "labels": [state]}
    mended, changed = remediate(container(inputs))
    assert changed == ["logs-rotated", "labelled"]
    wanted = {"logOpts": {"max-size": "10m", "max-file": "3"}, "labels": [state, *POSTGRES["labels"]]}
    assert mended.inputs == {**inputs, **wanted}


def test_a_stacks_limits_of_a_log_are_not_replaced() -> None:
    mended, _ = remediate(container({**POSTGRES, "logOpts": {"max-size": "1g"}}))
    assert mended.inputs["logOpts"] == {"max-size": "1g", "max-file": "3"}


@pytest.mark.parametrize("inputs", [POSTGRES, REDIS], ids=["volumes", "mounts"])
def test_a_volume_whose_name_is_not_known_yet_is_a_named_volume(inputs: dict[str, object]) -> None:
    unknown = {
        "volumes": [{"containerPath": "/var/lib/postgresql/data", "volumeName": UNKNOWN_STRING_VALUE}],
        "mounts": [{"target": "/data", "type": "volume", "source": UNKNOWN_STRING_VALUE}],
    }
    findings, undecided = evaluate(container({**inputs, **unknown}))
    assert not findings
    assert not undecided


def test_what_an_unknown_value_hides_is_reported_as_undecided() -> None:
    _, undecided = evaluate(container({**POSTGRES, "restart": UNKNOWN_STRING_VALUE, "envs": UNKNOWN_ARRAY_VALUE}))
    assert undecided == {"restarts", "no-secret-in-environment"}


def test_the_id_of_an_image_that_is_pulled_later_leaves_nothing_undecided() -> None:
    assert evaluate(container({**POSTGRES, "image": UNKNOWN_STRING_VALUE})) == ({}, set())


def test_a_violation_before_an_unknown_value_is_still_reported() -> None:
    ports = [{"internal": 5432}, {"internal": 80, "ip": UNKNOWN_STRING_VALUE}]
    findings, undecided = evaluate(container({**POSTGRES, "ports": ports}))
    assert list(findings) == ["ports-on-loopback"]
    assert undecided == {"ports-on-loopback"}
