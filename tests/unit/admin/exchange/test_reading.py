"""Requests read strictly."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import Node

from jwtgate.admin.exchange.problems import Problem
from jwtgate.admin.exchange.reading import LIMIT_BYTES, json_object, path_name


@pytest.mark.parametrize(
    ("text", "name"), [("orders", "orders"), ("a%2Fb", "a/b"), ("%25", "%"), ("a:b@c", "a:b@c"), ("a%3Fb%23", "a?b#")]
)
def test_a_name_in_a_path_is_decoded_once(text: str, name: str) -> None:
    assert path_name(text) == name


@pytest.mark.parametrize("text", ["%", "%4", "%zz", "a b", "a%2", 'a"b', "é"])
def test_a_name_that_is_encoded_wrongly_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        path_name(text)
    assert refused.value.status == 400


@pytest.mark.parametrize("text", ["a%20b", "%00", "%22", "%5C", "%C3%A9", "%FF", "a" * 129])
def test_a_name_that_no_document_may_hold_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        path_name(text)
    assert refused.value.mistakes[0].sentence.startswith("the name in the path")


def test_an_encoded_slash_belongs_to_the_name(client: Client, node: Node) -> None:
    assert client.ask("PUT", "/v1/routes/a%2Frotate", {}).status == 200
    assert ("routes", "a/rotate") in node.resources
    assert client.ask("PUT", "/v1/routes/a/rotate", {}).status == 404
    assert client.ask("GET", "/v1/%72outes").status == 404


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("page=1", "there is a query parameter that is not known here"),
        ("limit=1&limit=2", "the query parameter limit is given twice"),
        ("limit=1_0", "the query parameter limit must be as JSON writes an integer"),
        ("limit=+5", "the query parameter limit must be as JSON writes an integer"),
        ("limit=05", "the query parameter limit must be as JSON writes an integer"),
        ("limit=5.0", "the query parameter limit must be as JSON writes an integer"),
        ("limit=", "the query parameter limit must be as JSON writes an integer"),
        ("limit=0", "the query parameter limit cannot be used"),
        ("limit=1001", "the query parameter limit cannot be used"),
    ],
)
def test_a_query_has_one_reading_or_none(client: Client, query: str, sentence: str) -> None:
    answer = client.ask("GET", f"/v1/routes?{query}")
    assert answer.status == 400
    assert sentence in [each["sentence"] for each in answer.json["mistakes"]]


def test_every_mistake_of_a_query_is_named(client: Client) -> None:
    answer = client.ask("GET", "/v1/routes?limit=x&other=1&limit=y")
    assert len(answer.json["mistakes"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b"{'a': 1}",
        b'{"a": 1} {"b": 2}',
        b"{",
        b"\xef\xbb\xbf{}",
        b"[" * 40 + b"]" * 40,
        b"",
    ],
)
def test_sec_146_json_with_no_single_reading_is_refused(client: Client, node: Node, body: bytes) -> None:
    answer = client.ask("PUT", "/v1/routes/a", body, fields={"content-type": "application/json"})
    assert (answer.status, answer.fields["content-type"]) == (400, "application/problem+json")
    assert answer.json["mistakes"][0]["sentence"].startswith("the body is ")
    assert node.resources == {}


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=utf-8", 'application/json;charset="UTF-8"']
)
def test_json_by_any_of_its_spellings_is_read(client: Client, media_type: str) -> None:
    assert client.ask("PUT", "/v1/routes/a", {}, fields={"content-type": media_type}).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json, text/plain"},
        {"content-type": ""},
        {"content-type": "application/merge-patch+json"},
        {"content-encoding": "gzip"},
    ],
)
def test_anything_else_is_refused_by_its_type(client: Client, node: Node, fields: dict[str, str]) -> None:
    answer = client.ask("PUT", "/v1/routes/a", {}, fields=fields)
    assert (answer.status, answer.fields["accept"]) == (415, "application/json")
    assert node.resources == {}


def test_a_patch_of_an_unknown_kind_is_told_which_are_known(client: Client) -> None:
    client.ask("PUT", "/v1/routes/a", {})
    answer = client.ask("PATCH", "/v1/routes/a", {})
    assert (answer.status, answer.fields["accept-patch"]) == (
        415,
        "application/merge-patch+json, application/json-patch+json",
    )


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client) -> None:
    announced = {"content-length": str(LIMIT_BYTES + 1)}
    assert client.ask("PUT", "/v1/routes/a", {}, fields=announced).status == 413
    large = b'"' + b"a" * LIMIT_BYTES + b'"'
    assert client.ask("PUT", "/v1/routes/a", large, fields={"content-length": "5"}).status == 413


def test_a_body_that_breaks_off_is_refused(client: Client, node: Node) -> None:
    answer = client.ask("PUT", "/v1/routes/a", b"{}", breaks_off=True)
    assert answer.json["mistakes"][0]["sentence"] == "the body broke off"
    assert node.resources == {}


@pytest.mark.parametrize("value", [None, [], "a", 1, True])
def test_only_an_object_is_an_object(value: Any) -> None:
    with pytest.raises(Problem) as refused:
        json_object(value)
    assert refused.value.mistakes[0].sentence == "must be a mapping"
