"""Files of consumers, one JSON object a line, read as a stream: nobody holds a million of them in memory.

A program that writes such a file may seal its lines with the master key: `{"sealed": …}`, in base64url.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON, base64url_decode, base64url_encode, json_bytes, parse_json_object
from jwtgate.jose.sealing import NONCE_BYTES, Sealer
from jwtgate.policy.sources import ConsumerSource
from jwtgate.state.callers.consumer_index import Placed

MOST_LINE_BYTES = 256 * 1024
MOST_PROBLEMS = 20

Parse = Callable[[Mapping[str, JSON]], ConsumerSource]
"""The consumer that these members describe, its name among them; `ConfigError` with every mistake."""


_SEALED = "sealed"
_LINE = "line of a consumer file"


def sealed_line(line: bytes, sealer: Sealer) -> bytes:
    """The line as only who has the master key can read it."""
    sealed = sealer.seal(line, _LINE, nonce=os.urandom(NONCE_BYTES))
    return json_bytes({_SEALED: base64url_encode(sealed)}) + b"\n"


class ConsumerFile:
    """One file of consumers, open until `close`. `digest` is the SHA-256 of what it held when it was opened."""

    def __init__(self, path: Path, sealer: Sealer | None = None) -> None:
        """Open and digest the file; `sealer` opens sealed lines. `ConfigError` when it cannot be read."""
        self._path = path
        self._sealer = sealer
        try:
            # Not blocking, since opening a pipe nobody writes to would wait for ever.
            self._file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
        except OSError as error:
            raise ConfigError(f"The consumer file {str(path)!r} cannot be read: {error.strerror}.") from None
        self._mode = os.fstat(self._file.fileno()).st_mode
        if not stat.S_ISREG(self._mode):
            self._file.close()
            raise ConfigError(f"The consumer file {str(path)!r} cannot be read: not a regular file.")
        self.digest = hashlib.file_digest(self._file, "sha256").hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence when everybody on this machine may read the file (SEC-149)."""
        if not self._mode & stat.S_IROTH:
            return ()
        return (f"The consumer file {str(self._path)!r} can be read by everybody on this machine.",)

    def consumers(self, parse: Parse) -> Iterator[Placed]:
        """Each consumer of the file. At its end, or after twenty mistakes, `ConfigError` names those that were met."""
        problems: list[str] = []
        for number, line in self._lines():
            place = f"{self._path}, line {number}"
            try:
                source = parse(self._opened(parse_json_object(line, limit_bytes=MOST_LINE_BYTES)))
            except ConfigError as error:
                problems += (f"{place}: {problem}" for problem in error.problems)
            except ValueError as error:
                problems.append(f"{place}: {error}.")
            else:
                yield Placed(source, place)
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise ConfigError(*problems)

    def _opened(self, members: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """What a line says. `ValueError` when it is sealed and cannot be opened."""
        sealed = members.get(_SEALED)
        if not isinstance(sealed, str):
            return members
        if self._sealer is None:
            raise ValueError("sealed, and there is no master key")
        line = self._sealer.unseal(base64url_decode(sealed), _LINE)
        return parse_json_object(line, limit_bytes=MOST_LINE_BYTES)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        read = hashlib.sha256()
        self._file.seek(0)
        number = 0
        # One byte more than is allowed, so that a line that is too long is seen to be.
        while line := self._file.readline(MOST_LINE_BYTES + 1):
            number += 1
            read.update(line)
            if not line.isspace():
                yield number, line
            while len(line) > MOST_LINE_BYTES and not line.endswith(b"\n"):
                line = self._file.readline(MOST_LINE_BYTES + 1)
                read.update(line)
        if read.hexdigest() != self.digest:
            raise ConfigError(f"{self._path}: it changed while it was read.")
