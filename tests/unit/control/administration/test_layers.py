"""What a store adds to a file's document, and what differs between two."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonpatch import apply_patch

from jwtgate.control.administration.layers import (
    added_by,
    difference,
    entries,
    merged,
    restored,
    with_entry,
    without_entry,
)

FILE = {"listen": "127.0.0.1:0", "routes": {"a": {"path": "/a"}}, "signing": {"issuer": "https://gate.example"}}
ADDED = {"routes": {"b": {"path": "/b"}}, "signing.keys": {"extra": {"alg": "ES384"}}}


def test_what_is_added_stands_beside_what_the_file_says() -> None:
    whole = merged(FILE, ADDED)
    assert whole["routes"] == {"a": {"path": "/a"}, "b": {"path": "/b"}}
    assert entries(whole, "signing.keys")["extra"] == {"alg": "ES384"}
    assert whole["signing"]["issuer"] == "https://gate.example"


def test_what_the_file_names_the_file_owns() -> None:
    assert merged(FILE, {"routes": {"a": {"path": "/other"}}}) == FILE


def test_a_whole_document_is_told_apart_into_the_file_s_and_the_rest() -> None:
    added = added_by(merged(FILE, ADDED), FILE)
    assert added is not None
    assert merged(FILE, added) == merged(FILE, ADDED)
    assert added["routes"] == ADDED["routes"]
    assert added_by(FILE, FILE) == {}
    assert added_by({**FILE, "consumers": {}, "issuers": {}}, FILE) == {}


@pytest.mark.parametrize(
    "changed",
    [
        {**FILE, "listen": "127.0.0.1:1"},
        {**FILE, "routes": {"a": {"path": "/other"}}},
        {**FILE, "routes": {}},
        {**FILE, "limits": {"fields": 7}},
        {name: value for name, value in FILE.items() if name != "signing"},
    ],
)
def test_a_document_that_says_otherwise_than_the_file_cannot_be_added(changed: dict[str, Any]) -> None:
    assert added_by(changed, FILE) is None


def test_entries_come_and_go_without_changing_what_they_came_from() -> None:
    first = with_entry({}, "routes", "b", {"path": "/b"})
    second = with_entry(first, "routes", "c", {"path": "/c"})
    assert without_entry(second, "routes", "c") == first == {"routes": {"b": {"path": "/b"}}}
    assert without_entry(first, "routes", "b") == {}
    assert without_entry(first, "issuers", "b") == first


@pytest.mark.parametrize("document", [None, [], "x", {"routes": None}, {"signing": {"keys": []}}])
def test_a_section_that_is_none_has_no_entries(document: object) -> None:
    assert entries(document, "routes") == entries(document, "signing.keys") == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "~", "/", "é"]), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from(["a", "b", "a/b", "~1", ""]), json_values, max_size=4)


@settings(deadline=None)
@given(old=objects, new=objects)
def test_a_difference_makes_the_one_of_the_other(old: Any, new: Any) -> None:
    made = apply_patch(old, list(difference(old, new)))
    assert made == new


@settings(deadline=None)
@given(same=objects)
def test_nothing_differs_from_itself(same: Any) -> None:
    assert list(difference(same, same)) == []


def test_hidden_secrets_are_kept_and_new_ones_taken() -> None:
    kept = {"secret": "one", "list": [{"k": "two"}], "name": "x"}
    shown = {"secret": "***", "list": [{"k": "***"}], "name": "x"}
    asked = {"secret": "***", "list": [{"k": "***"}, {"k": "new"}], "name": "y", "more": "***"}
    assert restored(asked, shown, kept) == {
        "secret": "one",
        "list": [{"k": "two"}, {"k": "new"}],
        "name": "y",
        "more": "***",
    }
    assert restored({"secret": "three"}, shown, kept) == {"secret": "three"}


A, B = {"kid": "a", "k": "secret-a"}, {"kid": "b", "k": "secret-b"}
HIDDEN_A, HIDDEN_B = {"kid": "a", "k": "***"}, {"kid": "b", "k": "***"}


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ([HIDDEN_A, HIDDEN_B], [A, B]),
        ([HIDDEN_B, HIDDEN_A], [B, A]),
        ([HIDDEN_B], [B]),
        ([HIDDEN_B, {"kid": "c", "k": "new"}], [B, {"kid": "c", "k": "new"}]),
        ([{"kid": "b", "k": "***", "use": "sig"}, HIDDEN_A], [{"kid": "b", "k": "***", "use": "sig"}, A]),
        ([HIDDEN_A, HIDDEN_A], [HIDDEN_A, HIDDEN_A]),
    ],
)
def test_a_hidden_secret_in_a_list_is_never_taken_for_another_s(asked: Any, meant: Any) -> None:
    assert restored({"keys": asked}, {"keys": [HIDDEN_A, HIDDEN_B]}, {"keys": [A, B]}) == {"keys": meant}


def test_secrets_that_look_alike_stay_in_their_order() -> None:
    assert restored([{"k": "***"}] * 2, [{"k": "***"}] * 2, [{"k": "one"}, {"k": "two"}]) == [
        {"k": "one"},
        {"k": "two"},
    ]
    assert restored([{"k": "***"}], [{"k": "***"}] * 2, [{"k": "one"}, {"k": "two"}]) == [{"k": "***"}]
