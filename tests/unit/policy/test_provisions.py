from __future__ import annotations

import pytest

from jwtgate.policy.provisions import Origin, Value

OF_CREDENTIALS = {Origin.CONSTANT, Origin.CLAIM, Origin.CLAIMS, Origin.CONSUMER, Origin.PERMISSIONS, Origin.REFUSAL}


@pytest.mark.parametrize("origin", list(Origin))
def test_only_what_comes_of_credentials_may_be_remembered_with_them(origin: Origin) -> None:
    assert Value(origin).of_request is (origin not in OF_CREDENTIALS)
