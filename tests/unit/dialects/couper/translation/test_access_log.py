from __future__ import annotations

from typing import Any

from tests.unit.dialects.couper.translated import JWT, KEY, document, draft, not_exact, route, text, translate

from jwtgate.dialects.couper.reading.configuration import Place, Text
from jwtgate.dialects.couper.translation.access_log import access_log, log_of
from jwtgate.dialects.couper.translation.values import Around

PLACE = Place("couper.hcl", 1, 1, 1, 2)


def logged(*objects: str) -> dict[str, Any]:
    return log_of(draft(text()), [Text(each, PLACE) for each in objects], Around(), "here")


def test_a_line_has_coupers_members() -> None:
    members = document(text())["access_log"]["members"]
    assert members["type"] == {"constant": "couper_access"}
    assert members["level"] == "level"
    assert {"timestamp", "uid", "method", "status", "url", "request"} <= members.keys()


def test_a_line_of_a_refusal_tells_of_the_access_control_by_its_label() -> None:
    found = document(text(definitions=f'{JWT}\n jwt "my jwt" {{\n {KEY}\n cookie = "c"\n }}'))["access_log"]["refused"]
    assert {name: each["expression"] for name, each in found.items()} == {
        "message": "@error_message",
        "error_type": "@error_type",
    }
    given = found["message"]["given"]
    assert set(given["slots"]) == {"J", "my jwt"}
    assert given["sources"][given["slots"]["my jwt"]] == "cookie"
    assert given["sources"]["J"] == "bearer"


def test_fields_of_later_blocks_take_the_place_of_earlier_ones() -> None:
    assert logged('{ a = "1", b = "2" }', '{ b = "3" }') == {"a": {"constant": "1"}, "b": {"constant": "3"}}


def test_objects_are_merged() -> None:
    assert logged("{ a = { x = 1 } }", "{ a = { y = 2 } }") == {"a": {"constant": {"x": 1, "y": 2}}}


def test_what_no_line_can_hold_is_told() -> None:
    many = ", ".join(f"m{number} = 1" for number in range(17))
    found = translate(text(f'custom_log_fields = {{ {many}, "a b" = 1 }}\n response {{}}'))
    assert set(not_exact(found)) == {
        'endpoint "/p"/custom_log_fields/a b',
        'endpoint "/p"/custom_log_fields/m15',
        'endpoint "/p"/custom_log_fields/m16',
    }


def test_access_controls_and_blocks_log_together() -> None:
    definitions = f'jwt "J" {{\n {KEY}\n custom_log_fields = {{ m = request.method }}\n }}'
    endpoint = 'access_control = ["J"]\n custom_log_fields = { p = request.path }\n response {}'
    found = route(endpoint, definitions=definitions)["log"]
    assert {name: each["expression"] for name, each in found.items()} == {"m": "request.method", "p": "request.path"}


def test_what_cannot_be_granted_is_told_where_something_could() -> None:
    granting = f'jwt "J" {{\n {KEY}\n permissions_claim = "scope"\n }}'
    assert route(definitions=granting)["log"]["warnings"]["expression"] == "@warnings"
    assert "log" not in route()


def test_the_name_of_the_environment_is_known_to_the_log() -> None:
    source = text(more='settings {\n environment = "prod"\n }')
    assert access_log(draft(source))["refused"]["message"]["given"]["environment"] == "prod"
