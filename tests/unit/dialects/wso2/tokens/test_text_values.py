from __future__ import annotations

import logging

import pytest
from tests.unit.dialects.wso2.tokens.told import given

from jwtgate.dialects.wso2.tokens.text_values import DROPPED, read_value


@pytest.mark.parametrize(
    ("profile", "value", "expected"),
    [
        ("v1", "a,b", "a,b"),
        ("v1", '{"a":1}', '{"a":1}'),
        ("v2", "a, ,b ", ["a", "b"]),
        ("v2", '{"a":1}', '{"a":1}'),
        ("v3", '{"a":1,"b":[2]}', {"a": 1, "b": [2]}),
        ("v3", '["a","b"]', ['["a"', '"b"]']),
        ("v4", '{"a":1}', {"a": 1}),
        ("v4", '["a","b"]', ["a", "b"]),
        ("v4", '["a","b"', '["a","b"'),
        ("v4", "a,b", "a,b"),
        ("v4", '{"a":1,"a":2}', '{"a":1,"a":2}'),
        ("v4", 7, 7),
        ("v2", ["a,b"], ["a,b"]),
    ],
)
def test_texts_stand_for_what_the_generation_reads_in_them(profile: str, value: object, expected: object) -> None:
    assert read_value("x", value, given(profile=profile, arrays=profile == "v4")) == expected


def test_what_is_no_object_stays_text_or_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert read_value("x", "{oops secret", given(profile="v4")) == "{oops secret"
        assert read_value("x", "{oops", given(profile="v4", drop_unparsable=True)) is DROPPED
    assert caplog.messages == [
        "the claim x is no JSON object, and stays text",
        "the claim x is no JSON object, and is left out",
    ]


def test_another_separator_or_none() -> None:
    assert read_value("x", "a;b", given(separator=";")) == ["a", "b"]
    assert read_value("x", "a,b", given(separator="")) == "a,b"
