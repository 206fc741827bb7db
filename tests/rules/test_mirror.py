"""Rule 4: every module has its unit test at the mirrored path, and every unit test its module."""

from __future__ import annotations

import pytest
from tests.rules.source_tree import UNIT_TESTS, modules

MODULES = {each.path for each in modules() if not each.path.endswith("__init__.py")}
TESTED = {
    path.relative_to(UNIT_TESTS).with_name(path.name.removeprefix("test_")).as_posix()
    for path in UNIT_TESTS.rglob("test_*.py")
}


@pytest.mark.parametrize("path", sorted(MODULES))
def test_a_module_has_its_unit_test(path: str) -> None:
    assert path in TESTED


@pytest.mark.parametrize("path", sorted(TESTED))
def test_a_unit_test_has_its_module(path: str) -> None:
    assert path in MODULES
