from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.couper.translated import BACKEND, JWT, KEY, dangerous, document, refused, route, text

ASKING = 'access_control = ["J"]'
SEVEN = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def permission(value: str, **how: Any) -> Any:
    return route(f"{ASKING}\n required_permission = {value}\n response {{}}", **how).get("permission")


def test_an_endpoint_without_access_control_asks_for_nothing() -> None:
    found = route("response {}")
    assert found["auth"] == "none"
    assert "slots" not in found


def test_access_controls_are_slots_in_their_order() -> None:
    definitions = f'{JWT}\n jwt "K" {{\n {KEY}\n cookie = "k"\n }}'
    found = route('access_control = ["K"]\n response {}', around='access_control = ["J"]', definitions=definitions)
    assert list(found["slots"]) == ["J", "K"]
    assert "slots_may_share_a_place" not in found


def test_two_access_controls_may_look_at_the_same_place() -> None:
    definitions = f'{JWT}\n jwt "K" {{\n {KEY}\n }}'
    assert route('access_control = ["J", "K"]\n response {}', definitions=definitions)["slots_may_share_a_place"]


def test_methods_are_looked_at_behind_the_access_controls() -> None:
    assert route()["methods_permitted"] == SEVEN
    told = route(f'{ASKING}\n allowed_methods = ["get", "BREW"]\n response {{}}')["methods_permitted"]
    assert told == ["GET", "BREW"]
    assert route(f'{ASKING}\n allowed_methods = ["*"]\n response {{}}')["methods_permitted"] == SEVEN


def test_a_permission_is_text_or_depends_on_the_method() -> None:
    assert permission('"read"') == "read"
    assert permission('""') is None
    assert permission('{ get = "", Post = "write" }') == {"GET": "", "POST": "write"}


def test_a_method_with_two_permissions_is_refused() -> None:
    source = text(f'{ASKING}\n required_permission = {{ get = "read", GET = "" }}\n response {{}}')
    assert refused(source) == {'endpoint "/p"/required_permission'}


def test_a_star_stands_for_seven_methods() -> None:
    assert permission('{ get = "", "*" = "w" }') == {**dict.fromkeys(SEVEN, "w"), "GET": ""}


def test_a_permission_that_varies_is_worked_out_each_time() -> None:
    assert permission("request.path_params.p")["expression"] == "request.path_params.p"


@pytest.mark.parametrize("value", ["1", '["a"]', "{ get = 1 }"])
def test_a_permission_that_is_none_is_left_to_fail(value: str) -> None:
    assert permission(value) == {"language": "couper", "expression": value}


def test_an_undefined_permission_asks_for_none_where_the_switch_says_so() -> None:
    switch = "settings {\n undefined_permission_is_none = true\n }"
    found = permission("request.path_params.p", more=switch)
    assert found["expression"] == 'default((request.path_params.p), "")'
    source = text(f"{ASKING}\n required_permission = request.path_params.p\n response {{}}", more=switch)
    assert 'endpoint "/p"/required_permission' in dangerous(source)


def test_a_permission_nobody_can_be_granted_is_refused() -> None:
    assert refused(text('required_permission = "a"\n response {}')) == {'endpoint "/p"/required_permission'}


def test_a_parameter_that_is_part_of_a_segment_is_refused() -> None:
    assert refused(text("response {}", path="/a{b}")) == {'endpoint "/a{b}"'}


def test_an_answer_of_ones_own_is_worked_out() -> None:
    found = route('response {\n status = 201\n json_body = { p = request.path }\n headers = { x-a = "1" }\n }')
    assert found["respond"]["status"] == 201
    assert found["respond"]["body"]["expression"] == "json_encode({ p = request.path })"
    assert found["respond"]["content_type"] == "application/json"
    assert found["respond"]["headers"] == {"Server": "couper.io", "x-a": "1"}


def test_a_status_may_vary() -> None:
    found = route("response {\n status = length(request.path)\n }")
    assert found["respond"]["status"]["expression"] == "to_number(default(length(request.path), 200))"


def test_blocks_around_change_an_answer_the_outer_ones_last() -> None:
    around = 'set_response_headers = { x-a = "server" }'
    found = route('set_response_headers = { x-a = "endpoint", x-b = "1" }\n response {}', around=around)
    assert found["respond"]["headers"] == {"Server": "couper.io", "x-a": "server", "x-b": "1"}


def test_what_nobody_serves_is_told_to_those_alone_who_may_come_in() -> None:
    found = document(text(around='access_control = ["J"]', endpoint="response {}"))["routes"]["/**-nowhere-at-all"]
    assert found["respond"] == {"refusal": "route_unknown"}
    assert list(found["slots"]) == ["J"]
    assert found["paths"] == ["/*"]


def test_a_body_is_read_first_where_something_looks_at_it() -> None:
    assert route()["body_limit_bytes"] == 64 * 1024 * 1024
    assert "body_read_before_decision_bytes" not in route()
    reading = f'jwt "J" {{\n {KEY}\n token_value = request.json_body.token\n }}'
    found = route(f'{ASKING}\n request_body_limit = "1KiB"\n response {{}}', definitions=reading)
    assert (found["body_limit_bytes"], found["body_read_before_decision_bytes"]) == (1024, 1024)
    assert route("response {\n body = request.body\n }")["body_read_before_decision_bytes"]


def test_the_answer_of_a_request_is_passed_on() -> None:
    found = route('request {\n url = "http://127.0.0.1:9/a"\n }', around='set_response_headers = { x-a = "1" }')
    assert found["respond"] == {"call": "default"}
    assert found["response_headers"] == {"set": {"Server": "couper.io", "x-a": "1"}}
    assert list(found["calls"]) == ["default"]


def test_what_goes_nowhere_is_answered_with_a_failure() -> None:
    source = text('proxy {\n url = "http://${request.host}/"\n }', definitions=BACKEND)
    assert refused(source) == {"proxy/url"}
