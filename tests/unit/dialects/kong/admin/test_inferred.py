"""Text in the types a schema wants."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.dialects.kong.admin.inferred import inferred, with_lists
from jwtgate.dialects.kong.fields import Field

FIELDS = {
    "flag": Field("boolean"),
    "number": Field("number"),
    "whole": Field("integer"),
    "text": Field(),
    "texts": Field("array", elements=Field()),
    "numbers": Field("set", elements=Field("integer")),
    "paths": Field("array", elements=Field("array", elements=Field())),
    "map": Field("map", elements=Field("array", elements=Field())),
    "record": Field("record", fields={"flag": Field("boolean")}),
    "owner": Field("foreign"),
}


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("flag", "true", True),
        ("flag", "false", False),
        ("flag", "yes", "yes"),
        ("number", "1.5", 1.5),
        ("number", "-60", -60),
        ("number", "1e3", 1000),
        ("number", "0x10", "0x10"),
        ("number", "nan", "nan"),
        ("whole", "3", 3),
        ("whole", "3x", "3x"),
        ("text", "5", "5"),
        ("text", "", None),
        ("text", None, None),
        ("text", ["a", "b"], ["a", "b"]),
        ("texts", "a", ["a"]),
        ("texts", ["a", "b"], ["a", "b"]),
        ("texts", {"10": "c", "2": "b", "1": "a"}, ["a", "b", "c"]),
        ("texts", {"x": "a"}, [{"x": "a"}]),
        ("texts", "a,b", ["a,b"]),
        ("texts", "", None),
        ("numbers", ["1", "2"], [1, 2]),
        ("paths", "a", [["a"]]),
        ("paths", ["a", "b"], [["a"], ["b"]]),
        ("paths", [["a", "b"]], [["a", "b"]]),
        ("map", {"x": "a"}, {"x": ["a"]}),
        ("map", "x", "x"),
        ("record", {"flag": "true", "other": "1"}, {"flag": True, "other": "1"}),
        ("owner", {"id": ""}, None),
        ("owner", {"id": None}, None),
        ("owner", {"id": "x"}, {"id": "x"}),
        ("owner", {}, {}),
        ("owner", {"name": ""}, {"name": ""}),
        ("unknown", "", ""),
    ],
)
def test_text_takes_the_type_of_its_field(name: str, given: Any, value: Any) -> None:
    assert inferred({name: given}, FIELDS) == {name: value}


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("texts", "a,b", ["a", "b"]),
        ("texts", "a b", "a b"),
        ("texts", '["a","b"]', ["a", "b"]),
        ("texts", '["a"', '["a"'),
        ("texts", ["a,b"], ["a,b"]),
        ("paths", '[["a","b"]]', [["a", "b"]]),
        ("map", '{"x":"a"}', {"x": "a"}),
        ("map", "a,b", "a,b"),
        ("text", "a,b", "a,b"),
        ("unknown", "a,b", "a,b"),
    ],
)
def test_a_list_may_be_written_with_commas_where_that_is_meant(name: str, given: Any, value: Any) -> None:
    assert with_lists({name: given}, FIELDS) == {name: value}


_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(["1e99", "-.5", "[1]"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("1a", max_size=2), inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), _VALUES))
def test_whatever_stands_there_gives_a_value(value: dict[str, Any]) -> None:
    json.dumps(inferred(with_lists(value, FIELDS), FIELDS), allow_nan=False)
