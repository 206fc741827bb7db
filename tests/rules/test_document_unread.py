"""Rule 6: nobody reads the document after `compile`, save those who show it to people."""

from __future__ import annotations

import pytest
from tests.rules.source_tree import Module, modules

SECTIONS = "jwtgate.config.sections."
SHOWING = {"cli", "admin", "config"}
OTHERS = [module for module in modules() if module.folder not in SHOWING]


@pytest.mark.parametrize("module", OTHERS, ids=lambda module: module.path)
def test_no_section_of_the_document_is_known_here(module: Module) -> None:
    assert [name for name in module.imports if name.startswith(SECTIONS)] == []


def test_the_sections_are_where_they_are_looked_for() -> None:
    assert any(name.startswith(SECTIONS) for module in modules() for name in module.imports)
