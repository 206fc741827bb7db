from __future__ import annotations

import pytest

from jwtgate.errors import ConfigError
from jwtgate.state.secrets.reading import AWAY, CAUSES, Read, ReadFailed, resolved, text_of


def test_a_failure_is_the_end_of_a_sentence() -> None:
    assert ReadFailed("slow").words == "it did not answer in time"
    assert ReadFailed("package_missing", "run this").words == "a package is not installed: run this"


def test_a_cause_nobody_foresaw_is_named() -> None:
    assert ReadFailed("status_500").words == "it failed (status_500)"


def test_what_concerns_one_path_alone_does_not_make_a_store_away() -> None:
    assert CAUSES.keys() >= AWAY
    assert AWAY.isdisjoint({"forbidden", "not_found", "path_refused", "malformed"})


def test_what_was_read_does_not_show() -> None:
    assert "swordfish" not in repr(Read("swordfish"))


def test_what_we_log_in_with_is_resolved_or_named() -> None:
    def nothing(text: str) -> str:
        raise ConfigError(f"{text} is not there.", "Nor is that.")

    assert resolved(str.upper, "a") == "A"
    with pytest.raises(ReadFailed) as caught:
        resolved(nothing, "${env:A}")
    assert caught.value.words == "what we log in with cannot be had: ${env:A} is not there. Nor is that"


def test_a_setting_that_is_absent_has_its_default() -> None:
    assert text_of({"a": "b"}, "a", "c") == "b"
    assert text_of({"a": None}, "a", "c") == "c"
    assert text_of({}, "a") == ""
