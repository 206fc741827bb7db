from __future__ import annotations

import pytest

from jwtgate.integrations.kamailio.outcome import FAILURE, SUCCESS, Failed, Jwt


def test_a_result_is_the_number_of_the_server_and_true_when_it_is_good() -> None:
    assert (SUCCESS, FAILURE) == (1, -1)
    assert SUCCESS
    assert not FAILURE
    assert not FAILURE > 0


def test_another_name_is_an_error_and_none_can_be_set() -> None:
    jwt = Jwt()
    with pytest.raises(AttributeError):
        _ = jwt.exp  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        jwt.val = "x"  # type: ignore[misc]


def test_making_and_verifying_do_not_touch_each_other() -> None:
    jwt = Jwt()
    assert (jwt.val, jwt.status, jwt.reason, jwt.claims) == (None, 0, None, None)
    assert jwt.generated("t") == 1
    assert jwt.failed(Failed("expired", "line", 4)) == -1
    assert (jwt.val, jwt.status, jwt.reason) == ("t", 4, "expired")
    jwt.generating()
    assert (jwt.val, jwt.status) == (None, 4)
    jwt.verifying()
    assert jwt.verified({"a": 1}) == 1
    assert (jwt.status, jwt.reason, jwt.claims) == (0, None, {"a": 1})
    jwt.unproven()
    assert jwt.claims is None


def test_claims_are_read_only() -> None:
    jwt = Jwt()
    jwt.verified({"a": 1})
    assert jwt.claims is not None
    with pytest.raises(TypeError):
        jwt.claims["a"] = 2  # type: ignore[index]
