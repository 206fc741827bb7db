from __future__ import annotations

import pytest

from jwtgate.integrations.kamailio.claims.lists import Entry, fits_64_bits, split_list


def entry(name: str, value: str | None, *, quoted: bool = False) -> Entry:
    return Entry(name, value, quoted)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        (";", []),
        ("a=b", [entry("a", "b")]),
        ("a = b ; c", [entry("a", "b"), entry("c", None)]),
        ("a=", [entry("a", "")]),
        ("a='';", [entry("a", "", quoted=True)]),
        (';a="it\'s"', [entry("", None), entry("a", "it's", quoted=True)]),
        ("a=x=y>z", [entry("a", "x=y>z")]),
    ],
)
def test_a_list_is_split(text: str, entries: list[Entry]) -> None:
    assert split_list(text) == (tuple(entries), "")


@pytest.mark.parametrize(("text", "rest"), [("a=b,c=d", ",c=d"), ("a=b >c", ">c"), ("a,b", ",b")])
def test_what_kamailio_would_ignore_is_given_back(text: str, rest: str) -> None:
    assert split_list(text)[1] == rest


@pytest.mark.parametrize("text", [" a=b", "a=b c", "a='b", "a=;b=c", "a=b;;", "a='b'c"])
def test_a_list_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        split_list(text)


def test_no_more_than_one_character_of_a_list_is_told() -> None:
    with pytest.raises(ValueError) as caught:
        split_list("a=b SECRET")
    assert "'S'" in str(caught.value)
    assert "ECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("007", 7), ("-0", 0), ("+", 0), ("-12", -12), ("9" * 19, "9" * 19), ("1" * 40, "1" * 40), ("٣", "٣")],
)
def test_digits_without_quotes_are_a_number_when_they_fit(text: str, value: str | int) -> None:
    assert entry("n", text).typed == value
    assert entry("n", text, quoted=True).typed == text


@pytest.mark.parametrize(
    ("number", "fits"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)]
)
def test_64_bits_are_signed(number: int, fits: bool) -> None:
    assert fits_64_bits(number) is fits
