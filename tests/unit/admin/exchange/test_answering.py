"""Answers with versions, and parts of lists."""

from __future__ import annotations

import json

from jwtgate.admin.exchange.answering import answer, listing, numbered, tagged, unchanged
from jwtgate.admin.exchange.reading import NumberedAsked


def test_an_answer_is_json_and_nothing_more() -> None:
    made = answer({"ä": 1}, status=201, fields={"Location": "/v1/x"})
    assert (made.status_code, bytes(made.body), made.headers["location"]) == (201, '{"ä":1}'.encode(), "/v1/x")
    assert made.headers["content-type"] == "application/json"


def test_a_version_is_told_as_a_strong_tag() -> None:
    assert tagged(3, {}).headers["etag"] == '"3"'


def test_a_client_that_has_the_version_gets_no_content() -> None:
    spared = unchanged(3)
    assert (spared.status_code, bytes(spared.body), spared.headers["etag"]) == (304, b"", '"3"')


def test_a_part_of_a_list_links_to_the_next() -> None:
    made = listing("/v1/routes", [1], "a/b c", asked={"limit": "1", "contains": "a&"})
    assert made.headers["link"] == '</v1/routes?limit=1&contains=a%26&after=a%2Fb%20c>; rel="next"'
    assert json.loads(bytes(made.body)) == {"items": [1], "next": "a/b c"}


def test_the_last_part_links_nowhere() -> None:
    made = listing("/v1/routes", [1], None, asked={})
    assert "link" not in made.headers
    assert json.loads(bytes(made.body))["next"] is None


def test_a_numbered_list_goes_on_after_a_full_part() -> None:
    assert json.loads(bytes(numbered("/v1/audit", [1, 2], [7, 9], part=NumberedAsked(0, 2)).body))["next"] == "9"
    assert json.loads(bytes(numbered("/v1/audit", [1], [7], part=NumberedAsked(0, 2)).body))["next"] is None
    assert json.loads(bytes(numbered("/v1/audit", [], [], part=NumberedAsked(0, 2)).body))["next"] is None
