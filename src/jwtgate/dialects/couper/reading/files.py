"""Files a configuration names: where they are, what they hold, and what Couper says when they cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

from jwtgate.dialects.couper.reading.configuration import Place


def beside(path: str, place: Place, folder: Path) -> Path:
    """The absolute path of a file, told from the folder of the configuration file that names it."""
    return Path(os.path.normpath((folder.absolute() / place.file).parent / path))


def content_of(path: Path) -> bytes:
    """What the file holds. `ValueError` with Couper's words when it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ValueError(f"open {path}: {(problem.strerror or 'cannot be read').lower()}") from None
    if not content:
        raise ValueError("empty file")
    return content
