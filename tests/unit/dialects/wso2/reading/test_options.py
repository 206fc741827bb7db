from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.wso2.reading.options import OPTIONS, Option, plain, valued


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("flag", "TRUE", True),
        ("flag", " true ", True),
        ("flag", "yes", False),
        ("flag", False, False),
        ("switch", "True", True),
        ("switch", "false", False),
        ("switch", True, True),
        ("number", "900", 900),
        ("number", 0, 0),
        ("list", "a, b c", ["a", "b", "c"]),
        ("list", ["a b"], ["a b"]),
        ("map", "a=b c=d", {"a": "b", "c": "d"}),
        ("map", {"a": "b"}, {"a": "b"}),
        ("text", "a", "a"),
    ],
)
def test_values_are_read_as_files_write_them(kind: str, written: object, value: object) -> None:
    assert valued(Option("x", kind), written) == value


@pytest.mark.parametrize(
    ("option", "written", "sentence"),
    [
        (Option("x", "flag"), 1, "must be true or false"),
        (Option("x", "switch"), "yes", "must be true or false"),
        (Option("x", "switch"), "", "must be true or false"),
        (Option("x", "switch"), 0, "must be true or false"),
        (Option("x", "number"), "٩", "must be a whole number"),
        (Option("x", "number"), "9" * 10, "must be a whole number"),
        (Option("x", "number"), 1.5, "must be a whole number"),
        (Option("x", "number"), "-1", "must be a whole number"),
        (Option("x", "number"), True, "must be a whole number"),
        (Option("x", "number"), "1e3", "must be a whole number"),
        (Option("x", "list"), [1], "must be a list of texts"),
        (Option("x", "map"), "a=b c", "must be name=value"),
        (Option("x", "map"), {"a": 1}, "must map names to texts"),
        (Option("x"), 1, "must be text"),
        (Option("x", one_of=("a", "b")), "c", "must be one of a, b"),
    ],
)
def test_what_is_no_such_value_is_told(option: Option, written: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        valued(option, written)


def test_names_are_compared_without_case_and_underscores() -> None:
    assert plain("NoneAlgLabel") == plain("none_alg_label")
    assert len({plain(name) for name in OPTIONS}) == len(OPTIONS)


def test_no_slip_of_the_pen_turns_a_safeguard_of_ours_off() -> None:
    safeguards = ("strip_client_assertion", "subscription_validation", "include_identity_claims")
    assert {OPTIONS[name].kind for name in safeguards} == {"switch"}
    assert OPTIONS["unsigned_tokens_trusted_by_legacy_backend"].kind == "switch"
