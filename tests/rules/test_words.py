"""Nothing in the project speaks of a place that is not in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.rules.source_tree import ROOT

# Put together here, so that this file does not find itself.
ELSEWHERE = ["/" + "work/", "shared" + "/", "." + "library"]
FOLDERS = ["src", "docs", "scripts", "tests", "bench", "examples"]
NOT_OURS = {"node_modules", "__pycache__"}


def pages() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.suffix in (".md", ".toml", ".txt"))
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and NOT_OURS.isdisjoint(path.parts):
                yield path


def test_no_page_names_a_place_outside_the_project() -> None:
    found = [(str(path), word) for path in pages() for word in ELSEWHERE if word.encode() in path.read_bytes()]
    assert found == []
