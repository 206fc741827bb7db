"""Small files that survive a crash: written whole or not at all, and known to be whole when read.

A file is a checksum, a line feed, and the data. Writing goes by a temporary file, fsync, rename and fsync of
the folder; what stood there before is kept as the previous copy until the next write.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path

_log = logging.getLogger(__name__)
_DIGEST_LENGTH = 64
LIMIT_BYTES = 64 * 1024 * 1024


def write_saved(path: Path, data: bytes) -> None:
    """Replace the file by this data, atomically, readable by its owner only. `OSError` leaves the old one."""
    is_new = not path.parent.exists()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            path.replace(_previous(path))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    if is_new:
        sync_folder(path.parent.parent)


def sync_folder(path: Path) -> None:
    """Have the names in this folder outlive a loss of power."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_saved(path: Path) -> bytes | None:
    """What was written last and is whole; None when there is nothing such. Damaged files are set aside."""
    for candidate in (path, _previous(path)):
        data = _read(candidate)
        if data is not None:
            return data
    return None


def set_aside(path: Path) -> None:
    """Rename a file that cannot be used, so that it can be looked at and is not read again."""
    _log.error("the saved file %s is damaged; it was set aside", path)
    path.replace(path.with_name(f"{path.name}.damaged"))


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.previous")


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            whole = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    digest, data = whole[:_DIGEST_LENGTH], whole[_DIGEST_LENGTH + 1 :]
    if hashlib.sha256(data).hexdigest().encode() + b"\n" == digest + whole[_DIGEST_LENGTH : _DIGEST_LENGTH + 1]:
        return data
    set_aside(path)
    return None
