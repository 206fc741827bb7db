from __future__ import annotations

from jwtgate.dialects.apisix.admin.calls.replies import not_found, told, wrong


def test_an_answer_is_json_and_a_line_feed() -> None:
    reply = told(201, {"key": "ü"})
    assert (reply.status, reply.body) == (201, '{"key":"ü"}\n'.encode())
    assert dict(reply.fields) == {"Content-Type": "application/json", "X-API-VERSION": "v3"}


def test_text_stands_for_itself_and_nothing_for_an_empty_body() -> None:
    assert told(400, "page_size").body == b"page_size"
    assert told(200).body == b""


def test_refusals_have_their_usual_forms() -> None:
    assert (wrong("no").status, wrong("no").value) == (400, {"error_msg": "no"})
    assert (not_found().status, not_found().value) == (404, {"message": "Key not found"})
