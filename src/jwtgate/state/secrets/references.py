"""References to secrets inside a text: `${env:NAME}`, `${file:PATH}`, `${STORE:PATH#FIELD}`, and their values.

A document keeps its references; only what is built from it sees the values. A mistake names the reference and
never quotes what lies behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from jwtgate.errors import ConfigError
from jwtgate.state.file_marks import Mark, mark_of
from jwtgate.state.secrets.contents import pick
from jwtgate.state.secrets.secret_files import read_secret_file

MOST_FILES = 1_024
FORMS = "${env:NAME}, ${file:PATH} or ${STORE:PATH#FIELD}"

# A reference that is opened and never closed is matched as well, so that it cannot pass for plain text.
_REFERENCE = re.compile(r"\$?\$\{([^{}]*)(\}?)")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a value is kept: a store (`env` and `file` are two), a path there, and the field of what lies there."""

    store: str
    path: str
    field: str | None = None

    def __str__(self) -> str:
        """As it stands in a text."""
        field = "" if self.field is None else f"#{self.field}"
        return f"${{{self.store}:{self.path}{field}}}"


class Held(Protocol):
    """The secret stores of a document, as far as they were read."""

    @property
    def names(self) -> Collection[str]:
        """What the document calls them."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is dangerous about how we log in to them."""

    def value(self, reference: Reference) -> str:
        """The value that was read. `ConfigError`."""


class Secrets:
    """Expands references. Relative paths start at `folder`, where the document lies; `stores` were read before."""

    def __init__(self, folder: Path, environ: Mapping[str, str], stores: Held | None = None) -> None:
        self._folder = folder
        self._environ = environ
        self._stores = stores
        self._exposed: dict[str, None] = {}
        self._files: dict[Path, Mark | None] = {}

    def resolve(self, text: str) -> str:
        """The text with every reference replaced by its value; `$${` stands for a literal `${`.

        A value is not expanded again. `ConfigError` names a reference that leads nowhere. Waits for nothing.
        """
        return _REFERENCE.sub(self._value, text)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each secret file seen so far that everybody on this machine may read (SEC-149)."""
        own = (f"The secret file {path!r} can be read by everybody on this machine." for path in self._exposed)
        return (*own, *(() if self._stores is None else self._stores.warnings))

    @property
    def files(self) -> Mapping[Path, Mark | None]:
        """The files that were read so far, as they were at first; no more than are worth looking at."""
        return dict(self._files)

    def warn_as(self, other: Secrets) -> None:
        """Warn from now on of what `other` warns of as well."""
        self._exposed.update(other._exposed)

    def _value(self, found: re.Match[str]) -> str:
        if found[0].startswith("$${"):
            return found[0][1:]
        reference = _parse(found)
        if reference.store == "env":
            return self._variable(reference)
        if reference.store == "file":
            return self._file(reference.path)
        if self._stores is None or reference.store not in self._stores.names:
            raise unknown_store(reference, () if self._stores is None else self._stores.names)
        return self._stores.value(reference)

    def _variable(self, reference: Reference) -> str:
        value = self._environ.get(reference.path)
        if value is None:
            raise ConfigError(f"The reference {reference} names an environment variable that is not set.")
        if reference.field is None:
            return value
        try:
            return pick(value, reference.field)
        except ValueError as error:
            raise ConfigError(f"The reference {reference} cannot be used: {error}.") from None

    def _file(self, name: str) -> str:
        path = self._folder / name
        mark = mark_of(path)
        try:
            text, exposed = read_secret_file(path)
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else "not a readable text"
            raise ConfigError(f"The reference ${{file:{name}}} cannot be read: {cause}.") from None
        if exposed:
            self._exposed[name] = None
        if len(self._files) < MOST_FILES:
            self._files.setdefault(path, mark)
        return text


def references_in(data: object) -> tuple[str, ...]:
    """Every text anywhere in this plain data (mappings and lists) that refers to a secret store, once each."""
    return tuple(dict.fromkeys(text for text in _texts(data) if any(_store_references(text))))


def store_references(texts: Iterable[str]) -> tuple[Reference, ...]:
    """The references to secret stores in these texts, once each; those to the environment and to files are not.

    One that cannot be read is left to `Secrets.resolve`, which says so.
    """
    return tuple(dict.fromkeys(reference for text in texts for reference in _store_references(text)))


def unknown_store(reference: Reference, names: Collection[str]) -> ConfigError:
    """The mistake of a reference to a store that the document does not have."""
    near = get_close_matches(reference.store, ("env", "file", *names), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return ConfigError(
        f"The reference {reference} names {reference.store!r}, which is no entry of `secret_stores`, env or file.{hint}"
    )


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list | tuple):
        for item in data:
            yield from _texts(item)


def _store_references(text: str) -> Iterator[Reference]:
    for found in _REFERENCE.finditer(text) if "${" in text else ():
        try:
            reference = _parse(found)
        except ConfigError:
            continue
        if not found[0].startswith("$${") and reference.store not in ("env", "file"):
            yield reference


def _parse(found: re.Match[str]) -> Reference:
    """`ConfigError` for what is not of a form we know, or is a path that leads elsewhere than it seems to."""
    inner, closed = found.groups()
    store, _, rest = inner.partition(":")
    # A file may be called anything, and its text is taken as a whole.
    path, mark, field = (rest, "", "") if store == "file" else rest.partition("#")
    if not closed or not store or not path or (mark and not field):
        raise ConfigError(f"The reference ${{{inner}}} is not of the form {FORMS}.")
    if store not in ("env", "file") and not (path.isprintable() and {".", ".."}.isdisjoint(path.split("/"))):
        shown = ascii(f"${{{inner}}}")
        raise ConfigError(f"The reference {shown} has a path with '.', '..' or characters that cannot be seen.")
    return Reference(store, path, field if mark else None)
