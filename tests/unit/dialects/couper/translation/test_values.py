from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.couper.translated import draft, text

from jwtgate.dialects.couper.reading.configuration import Place, Text
from jwtgate.dialects.couper.translation.controls.signing import know_signers
from jwtgate.dialects.couper.translation.values import (
    VARIES,
    Around,
    constant_of,
    listed,
    members,
    reads_body,
    reference_of,
    source_of,
    status_of,
    value_of,
    whole_status,
)

PLACE = Place("couper.hcl", 7, 3, 7, 9)
PROFILE = """jwt_signing_profile "S" {
  signature_algorithm = "HS256"
  key = "k"
  ttl = "10s"
  claims = { iss = env.ISS, s = "${request.path}" }
}"""


def expression(source: str) -> Text:
    return Text(source, PLACE)


def value(source: str, environ: dict[str, str] | None = None, **around: Any) -> dict[str, Any]:
    return value_of(draft(text(), environ), expression(source), Around(**around))


def status(source: str) -> Any:
    told = status_of(draft(text()), expression(source), Around())
    return told["expression"] if isinstance(told, dict) else told


def test_a_status_is_a_number_or_worked_out_and_what_cannot_be_one_fails_later() -> None:
    assert (status("200 + 4"), status("null"), status("999"), status("request.x")) == (204, None, "999", "request.x")


def test_a_response_without_a_status_is_200() -> None:
    told = [whole_status(expression(source)) for source in ("null", '"404"', "503")]
    assert [status(each.source) for each in told if each is not None] == [200, 404, 503]
    assert whole_status(None) is None


def test_what_never_varies_is_a_constant() -> None:
    assert value('{ a = [1, "b"], c = null }') == {"constant": {"a": [1, "b"], "c": None}}
    assert value('to_upper("x")') == {"constant": "X"}


def test_what_looks_like_a_reference_of_ours_in_a_constant_is_none() -> None:
    assert value('"$${env:A}"') == {"constant": "$${env:A}"}


@pytest.mark.parametrize("source", ["request.path", "request.context.J.sub", "unixtime()", 'jwt_sign("S", {})'])
def test_what_varies_is_an_expression(source: str) -> None:
    found = value(source)
    assert (found["language"], found["expression"]) == ("couper", source)
    assert found["given"]["place"] == "couper.hcl:7,3"
    assert constant_of(draft(text()), expression(source)) is VARIES


def test_variables_of_the_environment_stay_references() -> None:
    found = value('"x-${env.A}"', {"A": "1", "B": "2"})
    assert found["given"]["env"] == {"A": "${env:A}"}


def test_an_expression_is_given_the_slots_that_come_before_it() -> None:
    assert value("request.context.J.sub", labels=("J",))["given"]["slots"] == {"J": "J"}
    assert "slots" not in value("request.context.J.sub")["given"]


def test_an_expression_is_given_the_calls_it_reads() -> None:
    calls = {"default": "default", "one": "one"}
    assert value("backend_responses.one.status", calls=calls)["given"]["calls"] == {"one": "one"}


def test_an_expression_that_signs_is_given_the_profile_and_what_that_needs() -> None:
    found = draft(text(definitions=PROFILE, endpoint="response {}"), {"ISS": "me"})
    know_signers(found)
    given = value_of(found, expression('jwt_sign("S", {})'), Around())["given"]
    profile = given["profiles"]["S"]
    assert (profile["key"], profile["ttl_seconds"]) == ("S", 10)
    assert '"$${request.path}"' in profile["claims"]
    assert given["env"] == {"ISS": "${env:ISS}"}


def test_a_handler_may_read_the_permission_that_was_asked_for() -> None:
    found = value("request.context.required_permission", permission=expression('"${request.path}"'))
    assert found["given"]["required_permission"] == '"$${request.path}"'


def test_the_members_of_a_literal_are_expressions_of_their_own() -> None:
    found = members(draft(text()), expression('{ a = request.path, "b-c" = 1 }'), "here")
    assert {name: each.source for name, each in found.items()} == {"a": "request.path", "b-c": "1"}


def test_the_members_of_what_never_varies_are_constants() -> None:
    found = members(draft(text()), expression("merge({ a = 1 }, { b = 2 })"), "here")
    assert {name: each.source for name, each in found.items()} == {"a": "1", "b": "2"}


def test_an_object_whose_names_may_vary_is_refused() -> None:
    found = draft(text())
    assert members(found, expression("merge({ a = 1 }, request.headers)"), "here") == {}
    assert found.notes.notes()[-1].place == "here"
    assert members(found, None, "here") == {}


def test_a_plain_value_is_written_as_an_expression() -> None:
    assert constant_of(draft(text()), expression(source_of(["a${b}", 1, None]))) == ["a${b}", 1, None]
    items = [expression(each) for each in ("1", '["a"]', "null", '"b"')]
    assert constant_of(draft(text()), listed(items, items[0])) == [1, "a", "b"]


def test_one_variable_alone_is_a_reference() -> None:
    found = draft(text(), {"A": "1"})
    assert reference_of(found, expression(" env.A ")) == "${env:A}"
    assert reference_of(found, expression("env.B")) is None
    assert reference_of(found, expression('"env.A"')) is None


def test_an_expression_that_reads_the_body_is_known() -> None:
    assert reads_body([expression("request.json_body.a"), None])
    assert not reads_body([expression("request.path"), None])
