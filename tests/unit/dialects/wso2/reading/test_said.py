from __future__ import annotations

import pytest

from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.errors import ConfigError


def test_a_value_has_its_place_and_a_note_its_sentence() -> None:
    said = Said("a.xml")
    said.set("enable", True, "a.xml:3")
    said.note("a.xml:4", "X is not known.")
    assert (said.values, said.places) == ({"enable": True}, {"enable": "a.xml:3"})
    assert said.notes == [("a.xml:4", "X is not known.")]
    said.stop_at_mistakes()


def test_all_mistakes_are_told_at_once() -> None:
    said = Said("a.xml", mistakes=["one", "two"])
    with pytest.raises(ConfigError) as caught:
        said.stop_at_mistakes()
    assert caught.value.problems == ("one", "two")
