from __future__ import annotations

import pytest
from tests.unit.policy.plans import told

from jwtgate.policy.provisions import Origin, Value

OF_CREDENTIALS = {Origin.CONSTANT, Origin.CLAIM, Origin.CLAIMS, Origin.CONSUMER, Origin.PERMISSIONS, Origin.REFUSAL}


@pytest.mark.parametrize("origin", list(Origin))
def test_only_what_comes_of_credentials_may_be_remembered_with_them(origin: Origin) -> None:
    assert Value(origin).of_request is (origin not in OF_CREDENTIALS)


def test_an_expression_of_a_language_says_itself_whether_it_looks_at_the_request() -> None:
    assert told(lambda _: None).of_request
    assert not told(lambda _: None, of_request=False).of_request
