from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.apisix.admin.calls.replies import Wrong
from jwtgate.dialects.apisix.admin.patching import merged, replaced


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": None}, {}),
    ],
)
def test_a_change_is_merged(before: Any, change: Any, after: Any) -> None:
    assert merged(before, change) == after


@pytest.mark.parametrize(
    ("path", "part", "after"),
    [
        (["methods"], ["PUT"], {"methods": ["PUT"], "upstream": {"nodes": {"a": 1}}}),
        (["upstream", "nodes"], {"b": 1}, {"methods": ["GET"], "upstream": {"nodes": {"b": 1}}}),
        (["plugins", "x"], {}, {"methods": ["GET"], "upstream": {"nodes": {"a": 1}}, "plugins": {"x": {}}}),
        (["methods"], None, {"upstream": {"nodes": {"a": 1}}}),
    ],
)
def test_a_part_is_replaced_at_its_path(path: list[str], part: Any, after: Any) -> None:
    before = {"methods": ["GET"], "upstream": {"nodes": {"a": 1}}}
    assert replaced(before, path, part) == after
    assert before == {"methods": ["GET"], "upstream": {"nodes": {"a": 1}}}


def test_a_path_leads_through_objects_only() -> None:
    with pytest.raises(Wrong, match="invalid sub-path"):
        replaced({"methods": ["GET"]}, ["methods", "0"], "PUT")
