from __future__ import annotations

import pytest

from jwtgate.integrations.kamailio.claims.templates import pv, value_of

VALUES: dict[str, str | int] = {
    "$fU": "alice;admin=1",
    "$ci": "a'b\"c",
    "$hdr(X-JWT)": "t.o.k",
    "$(fU{s.select,1,;})": "x",
    "$Ts": 17,
    "$sht(a=>$fU)": "y",
}


def look_up(name: str) -> str | int | None:
    return VALUES.get(name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("$fU", "alice;admin=1"),
        ("sip:$fU@x", "sip:alice;admin=1@x"),
        ("$hdr(X-JWT)", "t.o.k"),
        ("$(fU{s.select,1,;})!", "x!"),
        ("$sht(a=>$fU)", "y"),
        ("$$fU costs 1$", "$fU costs 1$"),
        ("$Ts", 17),
        ("at $Ts", "at 17"),
        ("$nobody", None),
        ("sip:$nobody@x", None),
    ],
)
def test_variables_are_filled_in(text: str, value: str | int | None) -> None:
    assert pv(text).value(look_up) == value
    assert value_of(text, look_up) == value


def test_a_list_is_split_before_it_is_filled() -> None:
    entries, rest = pv("caller=$fU;callee='$ci'").entries()
    assert [(each.name, each.value) for each in entries] == [("caller", "$fU"), ("callee", "$ci")]
    assert rest == ""


@pytest.mark.parametrize("text", ["$hdr(X", "$(fU{s.len}", "$("])
def test_a_bracket_that_is_never_closed_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        pv(text)


def test_a_template_shows_what_it_was_made_of() -> None:
    assert repr(pv("a=$fU")) == "pv('a=$fU')"
