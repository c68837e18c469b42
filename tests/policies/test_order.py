"""Two reports about one stack are the same, whatever is registered first: comments on pull requests do not flicker."""

import pytest

from tests.policies.cases import CASES, Case
from tests.policies.harness import evaluate


@pytest.mark.parametrize("case", [case for case in CASES if case.violates], ids=str)
def test_findings_do_not_depend_on_the_order_of_resources(case: Case) -> None:
    assert evaluate(*reversed(case.examples))[0] == evaluate(*case.examples)[0]
