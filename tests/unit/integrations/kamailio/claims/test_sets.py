from __future__ import annotations

from typing import Any

import pytest

from jwtgate.integrations.kamailio.claims.sets import NotAdded, Source, claims_to_find, claims_to_write
from jwtgate.integrations.kamailio.claims.templates import pv
from jwtgate.integrations.kamailio.settings import Settings

VALUES: dict[str, str | int] = {"$fU": "alice;x=1", "$Ts": 17, "$empty": ""}
STRICT = Settings(variables=VALUES.get)
COMPAT = Settings(variables=VALUES.get, compat=True)


@pytest.mark.parametrize(
    ("source", "claims"),
    [
        ("a=1;b='1'", {"a": 1, "b": "1"}),
        (b"a=\xc3\xa9", {"a": "é"}),
        (pv("caller=$fU;n=5;t=$Ts;q='$Ts'"), {"caller": "alice;x=1", "n": 5, "t": 17, "q": "17"}),
        (pv("caller=$nobody;none=$empty;flag;b=c"), {"b": "c"}),
        ({"a": [1, {"b": None}], "c": pv("$fU"), "d": pv("$nobody"), "e": None, "f": ""},
         {"a": [1, {"b": None}], "c": "alice;x=1", "f": ""}),
    ],
)  # fmt: skip
def test_every_kind_of_source_becomes_claims(source: Source, claims: dict[str, Any]) -> None:
    assert claims_to_write(source, STRICT, beside={}) == claims


@pytest.mark.parametrize(
    "source", ["a=1;b", "a=", pv("a=$nobody"), pv("a=$empty"), {"a": None}, {"a": pv("$empty")}, "=b"]
)
def test_nothing_goes_unchecked(source: Source) -> None:
    with pytest.raises(ValueError):
        claims_to_find(source, STRICT)
    assert claims_to_find(source, COMPAT) in ({}, {"a": 1})


def test_an_empty_entry_asks_for_nothing() -> None:
    assert claims_to_find(";a=b", STRICT) == {"a": "b"}
    assert claims_to_find({"a": ""}, STRICT) == {"a": ""}


def test_the_rest_of_a_list_is_never_ignored_quietly() -> None:
    with pytest.raises(ValueError):
        claims_to_find("a=b,c=d", STRICT)
    with pytest.raises(ValueError):
        claims_to_find(pv("a=$fU,c=d"), STRICT)
    assert claims_to_find("a=b,c=d", COMPAT) == {"a": "b"}


@pytest.mark.parametrize(
    ("source", "beside"),
    [
        ("a=1;a=2", {}),
        ("iat=5", {"iat": 17}),
        (b"a=\xff", {}),
        ({"a": object()}, {}),
        ({"a": float("nan")}, {}),
        ({"a": "x\0y"}, {}),
        ({7: "x"}, {}),
    ],
)
def test_what_cannot_be_added_is_named(source: Any, beside: dict[str, Any]) -> None:
    with pytest.raises(NotAdded):
        claims_to_write(source, STRICT, beside=beside)


def test_the_first_of_two_kinds_wins_and_minus_one_is_no_number() -> None:
    assert claims_to_write("a=x;a=1", STRICT, beside={}) == {"a": "x"}
    assert claims_to_write("n=5;n=-1", STRICT, beside={}) == {"n": 5}


def test_a_nul_cuts_a_value_only_where_the_reference_is_wanted() -> None:
    assert claims_to_write("a=x\0y", COMPAT, beside={}) == {"a": "x"}
