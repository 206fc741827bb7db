from __future__ import annotations

from typing import Any

from tests.unit.dialects.couper.translated import draft, text

from jwtgate.dialects.couper.reading.configuration import Edits, Place, Text
from jwtgate.dialects.couper.translation.fields import (
    Changes,
    as_fields,
    as_request_headers,
    as_response_headers,
    ask_with_fields,
    change_requests,
    change_responses,
    field_value,
    set_fields,
    take_media_type,
)
from jwtgate.dialects.couper.translation.values import Around

PLACE = Place("couper.hcl", 1, 1, 1, 2)
AROUND = Around()


def expression(source: str) -> Text:
    return Text(source, PLACE)


def answered(*edits: Edits) -> dict[str, Any]:
    found, changes = draft(text()), Changes()
    for each in edits:
        change_responses(found, changes, each, "here")
    return as_response_headers(found, changes, AROUND, "here")


def sent(edits: Edits) -> tuple[dict[str, Any], list[str]]:
    found, changes = draft(text()), Changes()
    change_requests(found, changes, edits, "here")
    said = [note.place for note in found.notes.notes() if note.place.startswith("here")]
    return as_request_headers(found, changes, AROUND), said


def test_a_block_removes_then_sets_then_adds() -> None:
    edits = Edits(
        set_response_headers=expression('{ X-A = "1" }'),
        add_response_headers=expression('{ x-b = "2" }'),
        remove_response_headers=expression('["x-a", "X-C"]'),
    )
    assert answered(edits) == {"set": {"x-a": "1"}, "add": {"x-b": "2"}, "remove": ["x-c"]}


def test_a_later_block_changes_what_an_earlier_one_did() -> None:
    one = Edits(set_response_headers=expression('{ x-a = "1", x-b = "1" }'))
    other = Edits(set_response_headers=expression('{ x-a = "2" }'), remove_response_headers=expression('["x-b"]'))
    assert answered(one, other) == {"set": {"x-a": "2"}, "remove": ["x-b"]}


def test_what_is_added_to_a_field_that_was_set_stands_beside_it() -> None:
    one = Edits(set_response_headers=expression('{ x-a = "1" }'))
    other = Edits(add_response_headers=expression("{ x-a = request.path }"))
    assert answered(one, other)["set"]["x-a"]["expression"] == 'merge(("1")[*], (request.path)[*])'


def test_a_field_set_to_nothing_is_removed() -> None:
    assert answered(Edits(set_response_headers=expression('{ x-a = null, x-b = "" }'))) == {"remove": ["x-a", "x-b"]}


def test_each_element_of_a_list_is_a_field_of_its_own() -> None:
    found, said = sent(Edits(set_request_headers=expression("{ x-a = request.path }")))
    assert found["set"]["x-a"]["form"] == "lines"
    assert said == []


def test_fields_the_gateway_is_responsible_for_are_left_to_it() -> None:
    found, said = sent(Edits(set_request_headers=expression('{ X-Forwarded-For = "1", connection = "x", x-a = "1" }')))
    assert found == {"set": {"x-a": "1"}}
    assert said == ["here/set_request_headers/X-Forwarded-For", "here/set_request_headers/connection"]


def test_names_to_remove_must_not_vary() -> None:
    _, said = sent(Edits(remove_request_headers=expression("[request.path]")))
    assert said == ["here/remove_request_headers"]


def test_a_backends_media_type_stays() -> None:
    found, changes = draft(text()), Changes()
    change_responses(found, changes, Edits(set_response_headers=expression('{ content-type = "text/x" }')), "here")
    assert as_response_headers(found, changes, AROUND, "here") == {}
    assert found.notes.notes()[-1].place == "here/content-type"


def test_a_media_type_is_taken_out_of_the_fields() -> None:
    found, changes = draft(text()), Changes()
    set_fields(found, changes, expression('{ Content-Type = "text/x", x-a = "1" }'), "here")
    assert take_media_type(found, changes, AROUND) == "text/x"
    assert as_fields(found, changes, AROUND) == {"x-a": "1"}
    assert take_media_type(found, changes, AROUND) is None


def test_a_request_names_no_other_host() -> None:
    found, changes = draft(text()), Changes()
    ask_with_fields(found, changes, expression('{ host = "h", x-a = "1" }'), "here")
    assert as_fields(found, changes, AROUND) == {"x-a": "1"}
    assert found.notes.notes()[-1].place == "here/host"


def test_fields_of_an_answer_of_our_own_are_set() -> None:
    found, changes = draft(text()), Changes()
    set_fields(found, changes, expression('{ Location = "/login?u=%2F" }'), "here")
    assert as_fields(found, changes, AROUND) == {"location": "/login?u=%2F"}


def test_plain_values_are_written_as_couper_writes_them() -> None:
    found = draft(text())
    values = [field_value(found, expression(source), AROUND) for source in ("1234567890", "1.5", "true", "null")]
    assert values == ["1234567890", "1.5", "true", None]
    assert field_value(found, expression('["a", "b"]'), AROUND) == {"language": "couper", "expression": '["a", "b"]'}
