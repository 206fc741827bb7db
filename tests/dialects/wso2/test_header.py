"""When a backend receives a token, and in which field."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.records import APPLICATION_TOKEN, USER_TOKEN, toml, xml
from tests.dialects.wso2.simulated import Simulated
from tests.dialects.wso2.wso2_process import HEADER, seen

OFF = "<APIManager><JWTConfiguration/></APIManager>"
EVIL = "X-JWT-Assertion: evil"


def test_s4_switched_off_nothing_is_sent_nor_let_through(served: Served) -> None:
    answer = served(OFF).ask(USER_TOKEN, EVIL)
    assert seen(answer, HEADER) == []
    assert seen(answer, "authorization") == []


def test_s4_the_client_s_field_stays_where_that_is_asked_for(served: Served) -> None:
    children = "<strip_client_assertion>false</strip_client_assertion>"
    kept = f"<APIManager><JWTConfiguration>{children}</JWTConfiguration></APIManager>"
    assert seen(served(kept).ask(USER_TOKEN, EVIL), HEADER) == ["evil"]


def test_s5_every_authenticated_request_has_one(served: Served, backend: Backend) -> None:
    gateway = served(xml())
    for bearer in (USER_TOKEN, APPLICATION_TOKEN):
        assert len(seen(gateway.ask(bearer), HEADER)) == 1
    assert seen(gateway.ask(path="/placeFinder/1.0.0/open/door"), HEADER) == []
    before = backend.requests
    refused = gateway.ask()
    assert (refused.status, refused.value["code"]) == (401, "900902")
    refused = gateway.ask("nobody's")
    assert (refused.status, refused.value["code"]) == (401, "900901")
    assert backend.requests == before


def test_s5_a_preflight_has_none(served: Served, backend: Backend) -> None:
    before = backend.requests
    gateway = served(xml())
    answer = gateway.ask(None, "Origin: https://a.example", "Access-Control-Request-Method: GET")
    assert (answer.status, backend.requests) == (401, before)


@pytest.mark.parametrize(
    "configuration", [xml(JWTHeader="X-User-Info"), toml('header = "X-User-Info"', 'jwt_profile = "v2"')]
)
def test_s6_the_field_may_have_another_name(served: Served, configuration: str) -> None:
    gateway = served(configuration)
    answer = gateway.ask(USER_TOKEN, EVIL, "X-User-Info: evil")
    assert len(seen(answer, "x-user-info")) == 1
    assert seen(answer, "x-user-info") != ["evil"]
    assert seen(answer, HEADER) == []


def test_s7_the_client_s_own_field_never_arrives(served: Served) -> None:
    gateway = served(xml())
    (value,) = seen(gateway.ask(USER_TOKEN, EVIL), HEADER)
    assert value.count(".") == 2
    assert seen(gateway.ask(None, EVIL, path="/placeFinder/1.0.0/open/door"), HEADER) == []


def test_s36_one_flag_is_enough_where_gateway_and_key_manager_are_one(served: Served) -> None:
    old = "<APIConsumerAuthentication><EnableTokenGeneration>TRUE</EnableTokenGeneration></APIConsumerAuthentication>"
    new = "<JWTConfiguration><EnableJWTGeneration>false</EnableJWTGeneration></JWTConfiguration>"
    only_there = f"<APIManager>{old}{new}</APIManager>"
    assert len(seen(served(only_there).ask(USER_TOKEN), HEADER)) == 1
    in_gateway = "[apim.jwt.gateway_generator]\nenable = true\n"
    assert len(seen(served(in_gateway).ask(USER_TOKEN), HEADER)) == 1


def test_the_names_of_the_first_generation_are_read(served: Served) -> None:
    old = (
        "<EnableTokenGeneration>true</EnableTokenGeneration><SecurityContextHeader>X-Old</SecurityContextHeader>"
        "<SignatureAlgorithm>SHA256WITHRSA</SignatureAlgorithm>"
    )
    gateway = served(f"<APIManager><APIConsumerAuthentication>{old}</APIConsumerAuthentication></APIManager>")
    assert len(seen(gateway.ask(USER_TOKEN), "x-old")) == 1


def test_what_is_not_known_in_xml_is_told_and_changes_nothing(served: Served) -> None:
    gateway = served(xml(NoSuchThing="1"))
    assert len(seen(gateway.ask(USER_TOKEN), HEADER)) == 1
    assert any("NoSuchThing is not known" in said for said in gateway.said())


def test_the_path_behind_the_context_reaches_the_backend(served: Served) -> None:
    gateway = served(xml())
    assert gateway.ask(USER_TOKEN, path="/placeFinder/1.0.0/a/b?c=d").value["path"] == "/a/b?c=d"
    assert gateway.ask(USER_TOKEN, path="/placeFinder/1.0.0").value["path"] == "/"
    assert gateway.ask(USER_TOKEN, path="/elsewhere").status == 404


def test_an_application_without_a_subscription_is_refused(served: Served) -> None:
    gateway = served(xml(), subscriptions=[])
    refused = gateway.ask(USER_TOKEN)
    assert (refused.status, refused.value["code"]) == (403, "900908")


def test_a_blocked_subscription_lets_nobody_in(tmp_path: Path) -> None:
    for status, reason in (("BLOCKED", "condition_not_met"), ("UNBLOCKED", "")):
        held = [{"application": 2, "api": "/placeFinder/1.0.0", "tier": "Gold", "status": status}]
        outcome = Simulated(tmp_path, xml(), subscriptions=held).outcome(USER_TOKEN)
        assert getattr(getattr(outcome, "refusal", None), "reason", "") == reason
