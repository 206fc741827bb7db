"""Rule 3: one concept, one file; and nothing outgrows its size."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import PurePosixPath

import pytest
from tests.rules.source_tree import Module, modules

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40
MOST_FILES_OF_A_FOLDER = 14
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
EVERY = pytest.mark.parametrize("module", modules(), ids=lambda module: module.path)
FILES = Counter(str(PurePosixPath(each.path).parent) for each in modules() if not each.path.endswith("__init__.py"))


@EVERY
def test_a_module_is_named_after_its_concept(module: Module) -> None:
    assert NAMELESS.isdisjoint(PurePosixPath(module.path).with_suffix("").parts)


@EVERY
def test_a_file_is_not_too_long(module: Module) -> None:
    assert len(module.text.splitlines()) <= MOST_LINES_OF_A_FILE


@EVERY
def test_a_function_fits_on_a_screen(module: Module) -> None:
    lines = {each.name: (each.end_lineno or each.lineno) - each.lineno + 1 for each in module.functions}
    assert {name: count for name, count in lines.items() if count > MOST_LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("folder", FILES)
def test_a_folder_does_not_hold_too_many_files(folder: str) -> None:
    assert FILES[folder] <= MOST_FILES_OF_A_FOLDER


@EVERY
def test_a_folder_says_nothing_of_its_own(module: Module) -> None:
    if module.path.endswith("/__init__.py"):
        assert module.text == "" or (is_integration(module) and only_re_exports(module))


def is_integration(module: Module) -> bool:
    """Whether others import this folder: what it re-exports is their door, as the root is the toolkit's."""
    parts = PurePosixPath(module.path).parts
    return len(parts) == 3 and parts[0] == "integrations"


def only_re_exports(module: Module) -> bool:
    described, *rest = module.tree.body
    *imported, listed = rest
    is_list = isinstance(listed, ast.Assign) and ast.unparse(listed.targets[0]) == "__all__"
    return isinstance(described, ast.Expr) and is_list and all(isinstance(each, ast.ImportFrom) for each in imported)
