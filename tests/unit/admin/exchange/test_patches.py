"""Values changed by patches. Merge patches are the examples of RFC 7396, appendix A."""

from __future__ import annotations

from typing import Any

import pytest

from jwtgate.admin.exchange.patches import MERGE, MOST_OPERATIONS, PATCH, patched
from jwtgate.admin.exchange.problems import Problem


@pytest.mark.parametrize(
    ("value", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_as_rfc_7396_says(value: Any, patch: Any, result: Any) -> None:
    assert patched(value, patch, MERGE) == result


@pytest.mark.parametrize(
    ("value", "patch", "result"),
    [
        ({"a": 1}, [{"op": "add", "path": "/b", "value": [1]}], {"a": 1, "b": [1]}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": {}}], {}),
        ({"a": 1, "b": 2}, [{"op": "remove", "path": "/a"}], {"b": 2}),
        ({"a": 1}, [{"op": "move", "from": "/a", "path": "/b"}], {"b": 1}),
        ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/b"}], {"a": [1], "b": [1]}),
        ({"a/b": 1}, [{"op": "test", "path": "/a~1b", "value": 1}], {"a/b": 1}),
        ([1, 2], [{"op": "add", "path": "/-", "value": 3}], [1, 2, 3]),
        ({"a": 1}, [], {"a": 1}),
    ],
)
def test_a_json_patch_does_as_rfc_6902_says(value: Any, patch: Any, result: Any) -> None:
    assert patched(value, patch, PATCH) == result


def test_the_value_itself_is_left_alone() -> None:
    value: Any = {"a": {"b": 1}}
    patched(value, [{"op": "remove", "path": "/a/b"}], PATCH)
    patched(value, {"a": {"b": None}}, MERGE)
    assert value == {"a": {"b": 1}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/nothing"},
        {"op": "replace", "path": "/nothing", "value": 1},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/a/b/c", "value": 1},
        {"op": "add", "path": "/a"},
        {"op": "add", "path": 7, "value": 1},
        {"op": "add", "path": "/~2", "value": 1},
        {"op": "append", "path": "/l", "value": 1},
        {"op": "copy", "path": "/b"},
        {"op": "copy", "path": "/b", "from": "/nothing"},
        {"op": "move", "path": "/a/b", "from": "/a"},
        {"op": "add", "path": "/l/9", "value": 1},
        {"op": "add", "path": "/l/01", "value": 1},
        {"op": ["add"], "path": "/a", "value": 1},
        {"path": "/a"},
        [],
        "add",
        None,
    ],
)
def test_what_is_no_operation_that_fits_is_refused_with_its_place(operation: Any) -> None:
    with pytest.raises(Problem) as refused:
        patched({"a": {}, "l": [1]}, [{"op": "test", "path": "/l", "value": [1]}, operation], PATCH)
    assert (refused.value.status, refused.value.mistakes[0].place) == (422, "/1")


@pytest.mark.parametrize("patch", [{"op": "remove", "path": "/a"}, None, [{}] * (MOST_OPERATIONS + 1)])
def test_what_is_no_list_of_operations_is_refused(patch: Any) -> None:
    with pytest.raises(Problem) as refused:
        patched({"a": 1}, patch, PATCH)
    assert refused.value.status == 422


def test_a_test_that_fails_is_a_conflict() -> None:
    with pytest.raises(Problem) as refused:
        patched({"a": "secret"}, [{"op": "test", "path": "/a", "value": "guess"}], PATCH)
    assert (refused.value.status, refused.value.mistakes[0].place) == (409, "/0")
    assert "secret" not in str(refused.value.mistakes)


def test_copies_that_double_and_double_are_refused() -> None:
    double = [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(60)]
    with pytest.raises(Problem) as refused:
        patched({"a": 1}, double, PATCH)
    assert refused.value.mistakes[0].sentence == "copies more than is allowed"
