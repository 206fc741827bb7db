"""A reason that is raised is in the catalogue, as the class it says; one in the catalogue is raised, and tested."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from tests.rules.source_tree import ROOT, Module, modules

from jwtgate.errors import CATALOGUE

RAISING = [module for module in modules() if module.path != "errors.py"]
CLASSES = {entry.raised_as.__name__ for entry in CATALOGUE.values()}


def texts(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def calls(module: Module) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(module.tree) if isinstance(node, ast.Call) and node.args)


def raised(module: Module) -> Iterator[tuple[str, str]]:
    """Each class that is made here, with each text its reason may be."""
    for call in calls(module):
        if isinstance(call.func, ast.Name) and call.func.id in CLASSES:
            reason = call.args[0]
            branches = [reason.body, reason.orelse] if isinstance(reason, ast.IfExp) else [reason]
            for branch in branches:
                yield from ((call.func.id, text) for text in texts(branch))


@cache
def handed_on() -> frozenset[str]:
    """Every text that is an argument of a call somewhere: a reason may reach its class through a function."""
    return frozenset(text for module in RAISING for call in calls(module) for arg in call.args for text in texts(arg))


@cache
def named_in_tests() -> frozenset[str]:
    # Those two go through the whole catalogue and prove nothing about a single reason.
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in path.parts]
    files = [path for path in files if path.name != "test_errors.py" and path.parent.name != "rules"]
    return frozenset(text for path in files for text in texts(ast.parse(path.read_text())))


@pytest.mark.parametrize("module", RAISING, ids=lambda module: module.path)
def test_what_is_raised_is_listed_with_its_class(module: Module) -> None:
    wrong = [
        (kind, reason)
        for kind, reason in raised(module)
        if reason not in CATALOGUE or CATALOGUE[reason].raised_as.__name__ != kind
    ]
    assert wrong == []


@pytest.mark.parametrize("reason", CATALOGUE)
def test_what_is_listed_is_raised(reason: str) -> None:
    assert reason in handed_on()


@pytest.mark.parametrize("reason", CATALOGUE)
def test_what_is_listed_is_tested(reason: str) -> None:
    assert reason in named_in_tests()
