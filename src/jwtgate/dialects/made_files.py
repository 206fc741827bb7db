"""Files made of texts another gateway keeps inside its own configuration: certificates, keys."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def made_file(folder: Path, text: str, ending: str) -> str:
    """A file in this folder with this text, which only we may read. Its name tells its content."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(folder, f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.{ending}")
    if not path.exists():
        partial = path.with_suffix(".new")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        partial.replace(path)
    return str(path)
