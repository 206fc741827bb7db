"""Rule 2: below floor 3 there is no I/O, clock, randomness, environment, logging or `async`."""

from __future__ import annotations

import ast
import sys

import pytest
from tests.rules.source_tree import Module, floors, in_folders

PURE_IMPORTS = {
    *("__future__", "collections.abc", "dataclasses", "enum", "functools", "types", "typing"),
    *("base64", "binascii", "hashlib", "hmac", "ipaddress", "json", "re", "unicodedata", "urllib.parse"),
}
IMPURE_NAMES = {
    *("open", "input", "print", "eval", "exec", "compile", "breakpoint", "__import__"),
    *("generate", "generate_key", "generate_private_key", "urandom", "token_bytes"),
}
# The one exception: a new key is random, and only `cryptography` knows how to make it so.
RANDOM = {"jose/key.py": {"generate", "generate_key", "generate_private_key"}}
ASYNC = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
PURE = in_folders(*(folder for folder, floor in floors().items() if floor < 3))
EVERY = pytest.mark.parametrize("module", PURE, ids=lambda module: module.path)


def called_names(module: Module) -> set[str]:
    """The names of what is called, and the last names of what is called on something, methods of patterns apart."""
    called = [node.func for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    plain = {func.id for func in called if isinstance(func, ast.Name)}
    reached = [func for func in called if isinstance(func, ast.Attribute)]
    return plain | {func.attr for func in reached if not (isinstance(func.value, ast.Name) and func.value.id == "re")}


@EVERY
def test_only_pure_modules_of_the_standard_library_are_imported(module: Module) -> None:
    standard = {name for name in module.imports if name.partition(".")[0] in sys.stdlib_module_names}
    assert standard - PURE_IMPORTS == set()


@EVERY
def test_nothing_impure_is_called(module: Module) -> None:
    assert called_names(module) & IMPURE_NAMES == RANDOM.get(module.path, set())


@EVERY
def test_nothing_waits(module: Module) -> None:
    assert [node.lineno for node in ast.walk(module.tree) if isinstance(node, ASYNC)] == []
