"""Secrets behind references: `${env:NAME}` and `${file:PATH}` inside a text of the document.

A document keeps its references; only what is built from it sees the values. A mistake names the reference and
never quotes what lies behind it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from jwtgate.errors import ConfigError

FILE_LIMIT_BYTES = 1024 * 1024

# A reference that is opened and never closed is matched as well, so that it cannot pass for plain text.
_REFERENCE = re.compile(r"\$?\$\{([^{}]*)(\}?)")
_PUBLIC = re.compile(r"\s*(?:-----BEGIN (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----|\{.*\"kty\")", re.DOTALL)
_PRIVATE = re.compile(r"PRIVATE KEY-----|\"(?:d|k|priv)\"\s*:")


class Secrets:
    """Expands references. Relative paths start at `folder`, where the document lies."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._exposed: dict[str, None] = {}

    def resolve(self, text: str) -> str:
        """The text with every reference replaced by its value; `$${` stands for a literal `${`.

        A value is not expanded again. `ConfigError` names a reference that leads nowhere.
        """
        return _REFERENCE.sub(self._value, text)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each secret file seen so far that everybody on this machine may read (SEC-149)."""
        return tuple(f"The secret file {path!r} can be read by everybody on this machine." for path in self._exposed)

    def _value(self, found: re.Match[str]) -> str:
        if found[0].startswith("$${"):
            return found[0][1:]
        reference, closed = found.groups()
        scheme, _, name = reference.partition(":")
        if not closed or not name:
            raise ConfigError(f"The reference ${{{reference}}} is not of the form ${{env:NAME}} or ${{file:PATH}}.")
        if scheme == "env":
            return self._variable(name)
        if scheme == "file":
            return self._file(name)
        raise ConfigError(f"The reference ${{{reference}}} names no kind of secret we know; use env or file.")

    def _variable(self, name: str) -> str:
        value = self._environ.get(name)
        if value is None:
            raise ConfigError(f"The reference ${{env:{name}}} names an environment variable that is not set.")
        return value

    def _file(self, name: str) -> str:
        try:
            data, mode = _read_settled(self._folder / name)
            text = data.decode("utf-8")
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else "not a readable text"
            raise ConfigError(f"The reference ${{file:{name}}} cannot be read: {cause}.") from None
        if mode & stat.S_IROTH and not _is_public(text):
            self._exposed[name] = None
        return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


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
