"""The section `signing`: our name and our keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwtgate.config.sections.document import Document

Load = Callable[[dict[str, Any]], Document]
Find = Callable[[dict[str, Any]], list[str]]


def test_keys_are_made_by_default(load: Load) -> None:
    signing = load({}).signing
    assert signing is not None
    assert {name: keys.alg for name, keys in signing.keys.items()} == {"default": "ES256"}


@pytest.mark.parametrize("alg", ["none", "ES521"])
def test_sec_38_we_never_sign_with_an_unknown_algorithm(mistakes: Find, alg: str) -> None:
    (mistake,) = mistakes({"signing/keys": {"a": {"alg": alg}}})
    assert mistake.startswith("signing.keys.a.alg: must be one of HS256")


def test_no_keys_are_a_mistake(mistakes: Find) -> None:
    assert mistakes({"signing/keys": {}}) == ["signing.keys: must not be empty"]
