"""Writes the pages of docs/reference that are made from the source: `.venv/bin/python scripts/reference.py`.

Run it after changing what they tell; a test fails while a page is stale.
"""

from __future__ import annotations

import ast
from pathlib import Path

from jwtgate.config.reference import reference_markdown
from jwtgate.errors import CATALOGUE, KeyRefused, Reason, Refusal

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
SOURCE = ROOT / "src" / "jwtgate"

_HEAD = """# Reasons

<!-- Made from the catalogue in `jwtgate.errors` by `scripts/reference.py`. Change it there, never this page. -->

Every refusal and every fault has a reason: a name that stays the same and stands in the answer, in the log and in the
exceptions of the toolkit, and one fixed sentence. What varies stands in the log alone. A refusal is the caller's
problem: we decided no. A fault is ours: we could not decide, or could not carry the decision out.
"""


def reasons_markdown() -> str:
    """The page of reasons, in Markdown: a section for each class, in the order of the catalogue."""
    kinds = dict.fromkeys(entry.raised_as for entry in CATALOGUE.values())
    return "\n".join([_HEAD, *map(_section, kinds)])


def _section(kind: type[Exception]) -> str:
    described = (kind.__doc__ or "").partition("\n")[0]
    error = kind.usual_oauth_error if issubclass(kind, Refusal) else None
    named = f" Its OAuth error code is `{error}` (RFC 6750 section 3.1)." if error else ""
    rows = "\n".join(
        f"| `{name}` | {_status(entry)} | {_sentence(entry)} |"
        for name, entry in CATALOGUE.items()
        if entry.raised_as is kind
    )
    return (
        f"## `{kind.__name__}`\n\n{described}{named}\n\n| reason | status | sentence |\n| --- | --- | --- |\n{rows}\n"
    )


def _status(entry: Reason) -> str:
    # A key is refused while it is loaded, when there is no request to answer.
    return "–" if entry.raised_as is KeyRefused else str(entry.status or entry.raised_as.usual_status)


def _sentence(entry: Reason) -> str:
    return entry.sentence if entry.oauth_error is None else f"{entry.sentence} Its code is `{entry.oauth_error}`."


_FILES_HEAD = """# Files

<!-- Made from the first lines of the modules by `scripts/reference.py`. Change them there, never this page. -->

Every module and what it holds. How the folders depend on each other stands in the [architecture](../architecture.md).
"""


def files_markdown() -> str:
    """The page of files, in Markdown: a section for each folder, a row for each of its modules."""
    modules = (path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if path.read_text(encoding="utf-8").strip())
    folders: dict[str, list[Path]] = {}
    for module in sorted(modules):
        folders.setdefault(module.parent.as_posix(), []).append(module)
    return "\n".join([_FILES_HEAD, *(_folder(name, folders[name]) for name in sorted(folders))])


def _folder(name: str, modules: list[Path]) -> str:
    title = "`jwtgate`" if name == "." else f"`{name}/`"
    rows = "\n".join(f"| `{module.name}` | {_first_line(SOURCE / module)} |" for module in modules)
    return f"## {title}\n\n| file | what it holds |\n| --- | --- |\n{rows}\n"


def _first_line(path: Path) -> str:
    described = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return described.partition("\n")[0].replace("|", "\\|")


PAGES = {"document.md": reference_markdown, "reasons.md": reasons_markdown, "files.md": files_markdown}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
