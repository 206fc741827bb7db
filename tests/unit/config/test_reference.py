"""The reference page is made from the source and is not stale."""

from __future__ import annotations

from pathlib import Path

from jwtgate.config.reference import reference_markdown
from jwtgate.config.sections.document import document_schema

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "document.md"


def test_the_page_is_what_the_source_makes() -> None:
    assert PAGE.read_text() == reference_markdown()


def test_every_section_and_key_is_on_the_page() -> None:
    page = reference_markdown()
    sections = document_schema()["$defs"]
    assert page.count("\n## ") == len(sections) + 1
    for section in sections.values():
        for key in section["properties"]:
            assert f"\n| `{key}` |" in page


def test_types_are_told_in_words() -> None:
    page = reference_markdown()
    assert "| `leeway_seconds` | whole number, 0 to 31622400 | `30` |" in page
    assert "| `connect_seconds` | number, above 0 to 31622400 | `2.0` |" in page
    assert "| `issue` | [`routes.NAME.issue`](#routesnameissue); one or a list |" in page
    assert "| `keys` | text or `null` |" in page
