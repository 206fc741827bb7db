from __future__ import annotations

import pytest

from jwtgate.state.secrets.contents import Contents, parse_fields, pick


@pytest.mark.parametrize(
    ("contents", "field", "text"),
    [
        ("plain", None, "plain"),
        ('{"a": "b"}', None, '{"a": "b"}'),
        ('{"a": "b"}', "a", "b"),
        ({"a": "b"}, "a", "b"),
        ({"tls.crt": "b"}, "tls.crt", "b"),
        ({"a": {"b": {"c": "deep"}}}, "a/b/c", "deep"),
        ({"a/b": {"~": "deep"}}, "a~1b/~0", "deep"),
        ({"~1": "x"}, "~01", "x"),
        ({"port": 5432}, "port", "5432"),
        ({"": "x"}, "", "x"),
    ],
)
def test_a_text_or_a_field_is_picked(contents: Contents, field: str | None, text: str) -> None:
    assert pick(contents, field) == text


@pytest.mark.parametrize(
    ("contents", "field", "sentence"),
    [
        ({"a": "swordfish"}, None, "say which of them"),
        ({"a": {"b": "swordfish"}}, "a", "say which of them"),
        ({"swordfish": "b"}, "a", "no such field"),
        ({"a": "swordfish"}, "a/b", "no such field"),
        ({"a": {"swordfish": "c"}}, "a/b", "no such field"),
        ({"a": ["swordfish"]}, "a/0", "no such field"),
        ({"a": ["swordfish"]}, "a", "neither text nor"),
        ({"a": True}, "a", "neither text nor"),
        ({"a": 1.5}, "a", "neither text nor"),
        ({"a": None}, "a", "neither text nor"),
        ({"a": ""}, "a", "is empty"),
        ("", None, "is empty"),
        ("swordfish", "a", "no JSON object"),
        ('["swordfish"]', "a", "no JSON object"),
        ('{"a": "swordfish", "a": "b"}', "a", "no JSON object"),
    ],
)
def test_sec_149_what_is_not_there_or_no_text_is_refused_and_never_quoted(
    contents: Contents, field: str | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        pick(contents, field)
    assert "swordfish" not in str(caught.value)


def test_fields_may_be_long_but_not_endless() -> None:
    assert parse_fields(b'{"a": "%s"}' % (b"x" * 100_000))["a"] == "x" * 100_000
    with pytest.raises(ValueError, match="longer"):
        parse_fields(b'{"a": "%s"}' % (b"x" * 2**20))
