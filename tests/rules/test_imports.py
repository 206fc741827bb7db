"""Rule 1: imports go down, and every third-party package has an owner. Both tables stand on the architecture page."""

from __future__ import annotations

import sys

import pytest
from tests.rules.source_tree import Module, floors, modules, table_after

SIDEWAYS = {("control", "gateway"), ("oauth", "jose")}
STARTERS = {"cli", "admin"}
RE_EXPORTED = {"errors", "jose", "verifier"}
FLOORS = floors()
OWNERS = [(package, owner) for package, owner in table_after("### Owners")]
EVERY = pytest.mark.parametrize("module", modules(), ids=lambda module: module.path)


def folders_imported(module: Module) -> set[str]:
    names = (name.split(".") for name in module.imports)
    return {parts[1] for parts in names if parts[0] == "jwtgate"} - {module.folder}


def packages_imported(module: Module) -> set[str]:
    packages = {name.partition(".")[0] for name in module.imports}
    return packages - {"jwtgate"} - sys.stdlib_module_names


def owners_of(package: str) -> tuple[str, ...]:
    return tuple(owner for owned, owner in OWNERS if owned == package)


def may_import(folder: str, other: str) -> bool:
    if folder == "__init__":
        return other in RE_EXPORTED
    if FLOORS[other] == FLOORS[folder]:
        return (folder, other) in SIDEWAYS or (folder in STARTERS and FLOORS[folder] == max(FLOORS.values()))
    return FLOORS[other] < FLOORS[folder]


@EVERY
def test_imports_go_down(module: Module) -> None:
    assert [other for other in folders_imported(module) if not may_import(module.folder, other)] == []


@EVERY
def test_a_third_party_package_is_imported_by_its_owner_alone(module: Module) -> None:
    stray = [name for name in packages_imported(module) if not module.path.startswith(owners_of(name))]
    assert stray == []


@pytest.mark.parametrize(("package", "owner"), OWNERS)
def test_an_owner_needs_what_it_owns(package: str, owner: str) -> None:
    owners = [module for module in modules() if module.path.startswith(owner)]
    assert any(package in packages_imported(module) for module in owners)


def test_every_folder_has_a_floor() -> None:
    assert {module.folder for module in modules()} - {"__init__"} <= FLOORS.keys()


@pytest.mark.parametrize(
    ("folder", "other"),
    [("jose", "policy"), ("jose", "oauth"), ("config", "state"), ("gateway", "control"), ("__init__", "gateway")],
)
def test_the_rule_knows_a_wrong_direction(folder: str, other: str) -> None:
    assert not may_import(folder, other)
