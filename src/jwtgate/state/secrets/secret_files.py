"""Secrets that lie in files: read whole or not at all, and told apart from what everybody may read."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

FILE_LIMIT_BYTES = 1024 * 1024

_PUBLIC = re.compile(r"\s*(?:-----BEGIN (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----|\{.*\"kty\")", re.DOTALL)
_PRIVATE = re.compile(r"PRIVATE KEY-----|\"(?:d|k|priv)\"\s*:")


def read_secret_file(path: Path) -> tuple[str, bool]:
    """The text of a file without one line end, and whether it is a secret that everybody here may read (SEC-149).

    `OSError` or `ValueError` for a file that cannot be read as a whole, or holds no text.
    """
    data, mode = _read_settled(path)
    text = data.decode("utf-8")
    exposed = bool(mode & stat.S_IROTH) and not _is_public(text)
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n"), exposed


def _is_public(text: str) -> bool:
    return _PUBLIC.match(text) is not None and _PRIVATE.search(text) is None


def _read_settled(path: Path) -> tuple[bytes, int]:
    """The bytes of a regular file nobody wrote to meanwhile, and its mode.

    `OSError` for one that is empty, too large, or changed while it was read: half a secret is no secret.
    """
    # Not blocking, since opening a pipe nobody writes to would wait for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise OSError(0, "not a regular file")
        data = file.read(FILE_LIMIT_BYTES + 1)
        after = os.fstat(file.fileno())
    if len(data) > FILE_LIMIT_BYTES:
        raise OSError(0, f"larger than {FILE_LIMIT_BYTES} bytes")
    if not data:
        raise OSError(0, "empty")
    if len(data) != after.st_size or before.st_mtime_ns != after.st_mtime_ns:
        raise OSError(0, "it changed while it was read")
    return data, before.st_mode
