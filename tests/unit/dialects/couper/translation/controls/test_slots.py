from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.couper.translated import KEY, dangerous, route, slot, text


@pytest.mark.parametrize(
    ("body", "source"),
    [
        ("", {"scheme": "Bearer"}),
        ("bearer = false", {"scheme": "Bearer"}),
        ("bearer = true", {"scheme": "Bearer"}),
        ('header = "aUtHoRiZaTiOn"', {"scheme": "Bearer"}),
        ('header = "X-Token"', {"header": "x-token"}),
        ('cookie = "tok"', {"cookie": "tok"}),
    ],
)
def test_a_token_is_looked_for_where_it_is_said(body: str, source: dict[str, str]) -> None:
    found = slot(body)
    assert found["from"] == [source]
    assert found["first_source_wins_for_legacy_clients"]
    assert found["empty_counts_as_absent_for_legacy_clients"]


def test_a_token_may_be_any_value() -> None:
    body = "token_value = request.query.tok[0]"
    assert slot(body)["from"][0]["value"]["expression"] == "request.query.tok[0]"
    assert 'jwt "J"/token_value' in dangerous(text(definitions=f'jwt "J" {{\n {KEY}\n {body}\n }}'))


def test_a_token_with_a_proof_has_a_place_of_its_own() -> None:
    found = slot("beta_dpop = true")
    assert "from" not in found
    assert found["dpop"]["most_age_seconds"] == 10
    assert found["dpop"]["ec_keys_may_be_called_ecdsa_for_legacy_clients"]


def test_claims_that_never_vary_are_a_constant() -> None:
    assert slot('claims = { sub = "x", n = [] }')["claims_equal"] == {"constant": {"sub": "x", "n": []}}


def test_claims_that_vary_are_worked_out_for_each_request() -> None:
    found = slot("claims = { pid = request.path_params.p }")["claims_equal"]
    assert found["expression"] == "{ pid = request.path_params.p }"
    assert "claims_equal" not in slot("")


def test_an_access_control_may_read_those_before_it() -> None:
    second = f'jwt "K" {{\n {KEY}\n cookie = "k"\n claims = {{ sub = request.context.J.sub }}\n }}'
    definitions = f'jwt "J" {{\n {KEY}\n }}\n {second}'
    found = route('access_control = ["J", "K"]\n response {}', definitions=definitions)["slots"]["K"]
    assert found["claims_equal"]["given"]["slots"] == {"J": "J"}


def test_answers_are_private_unless_it_is_switched_off() -> None:
    assert slot("")["private_responses"] is True
    assert slot("disable_private_caching = true")["private_responses"] is False


def test_a_label_that_is_no_name_of_ours_is_given_one() -> None:
    found = route('access_control = ["my jwt"]\n response {}', definitions=f'jwt "my jwt" {{\n {KEY}\n }}')
    ((name, held),) = found["slots"].items()
    assert name == held["issuers"][0]
    assert " " not in name


def basic(*labels: str) -> dict[str, Any]:
    definitions = "\n".join(f'basic_auth "{label}" {{\n user = "u"\n password = "p"\n }}' for label in labels)
    found: dict[str, Any] = route('access_control = ["a"]\n response {}', definitions=definitions)["slots"]["a"]
    return found


def test_a_user_presents_a_name_and_a_password() -> None:
    assert basic("a")["from"] == [{"scheme": "Basic"}]
    assert basic("a")["private_responses"] is False


def test_of_several_basic_auths_each_is_told_whom_it_asks() -> None:
    assert '"a ${trim(' in basic("a", "b")["from"][0]["value"]["expression"]
