"""The pages made from the source are what the source makes today."""

from __future__ import annotations

import runpy
from collections.abc import Callable

import pytest
from tests.rules.source_tree import ROOT

from jwtgate.errors import CATALOGUE

SCRIPT = runpy.run_path(str(ROOT / "scripts" / "reference.py"))
PAGES: dict[str, Callable[[], str]] = SCRIPT["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_not_stale(name: str) -> None:
    page = ROOT / "docs" / "reference" / name
    assert page.read_text() == PAGES[name](), "run .venv/bin/python scripts/reference.py"


def test_every_reason_has_its_line() -> None:
    page = PAGES["reasons.md"]()
    for name, entry in CATALOGUE.items():
        assert sum(line.startswith(f"| `{name}` |") and entry.sentence in line for line in page.splitlines()) == 1
