"""Rule 10: the root exports at most 25 names, and each stands in the reference."""

from __future__ import annotations

import re

import pytest
from tests.rules.source_tree import ROOT

import jwtgate

REFERENCE = ROOT / "docs" / "reference"


def test_the_toolkit_is_small() -> None:
    assert len(jwtgate.__all__) <= 25


@pytest.mark.parametrize("name", jwtgate.__all__)
def test_a_public_name_stands_in_the_reference(name: str) -> None:
    assert getattr(jwtgate, name) is not None
    reference = "".join(page.read_text() for page in REFERENCE.glob("*.md"))
    assert re.search(rf"`(jwtgate\.)?{name}[`(]", reference)
