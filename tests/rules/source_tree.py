"""The source as the rules look at it: every module, parsed, with what it imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile, takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "jwtgate"
UNIT_TESTS = ROOT / "tests" / "unit"
ARCHITECTURE = ROOT / "docs" / "architecture.md"


@dataclass(frozen=True, eq=False)
class Module:
    """One file of the source. `path` begins in the package: `jose/key.py`."""

    path: str
    text: str
    tree: ast.Module

    @property
    def folder(self) -> str:
        """The folder it lies in, or its own name where it lies in none."""
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    @property
    def imports(self) -> set[str]:
        """The full names of the modules it imports, wherever in the file they are imported."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None
                assert node.level == 0, f"{self.path}: a relative import hides where it leads"
                from_root = node.module == "jwtgate"
                found.update([f"jwtgate.{alias.name}" for alias in node.names] if from_root else [node.module])
        return found


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(_parsed(path) for path in sorted(SOURCE.rglob("*.py")))


def _parsed(path: Path) -> Module:
    text = path.read_text()
    return Module(path.relative_to(SOURCE).as_posix(), text, ast.parse(text))


def in_folders(*folders: str) -> list[Module]:
    """The modules of these folders."""
    found = [module for module in modules() if module.folder in folders]
    assert found
    return found


def table_after(title: str) -> list[list[str]]:
    """The rows of the first table below this title of the architecture page, as cells without code marks."""
    lines = ARCHITECTURE.read_text().replace("`", "").splitlines()
    rest = dropwhile(lambda line: not line.startswith("|"), lines[lines.index(title) :])
    rows = list(takewhile(lambda line: line.startswith("|"), rest))[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def floors() -> dict[str, int]:
    """The floor of each folder, and of the modules that lie in none."""
    rows = table_after("## Floors")
    return {folder.removesuffix(".py"): int(row[0]) for row in rows for folder in row[1].split()}
