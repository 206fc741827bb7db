"""What the kinds of secret store have in common: one path is read at a time, and there are reasons why it fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON
from jwtgate.state.secrets.contents import Contents

Resolve = Callable[[str], str]

CAUSES: Mapping[str, str] = {
    "sealed": "it is sealed or down for maintenance",
    "forbidden": "it does not let us read this",
    "login_refused": "it does not let us log in",
    "login_unresolved": "what we log in with cannot be had",
    "not_found": "there is nothing under this path",
    "path_refused": "no secret of this kind of store can have this path",
    "slow": "it did not answer in time",
    "unreachable": "it cannot be reached",
    "tls": "it does not speak TLS, or its certificate is not trusted",
    "malformed": "its answer makes no sense",
    "package_missing": "a package is not installed",
}
# Causes that lie with the store and not with one path: whoever waits in line need not find that out again.
AWAY = frozenset({"sealed", "login_refused", "login_unresolved", "slow", "unreachable", "tls", "package_missing"})


class ReadFailed(Exception):
    """A path that could not be read. `cause` is a stable slug, usually of `CAUSES`; `detail` holds no secret."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.detail = detail

    @property
    def words(self) -> str:
        """The end of a sentence that says what happened."""
        words = CAUSES.get(self.cause, f"it failed ({self.cause})")
        return f"{words}: {self.detail}" if self.detail else words


@dataclass(frozen=True, slots=True)
class Read:
    """What lies under a path. `again_seconds`: it must be read again within that time, whatever the document says."""

    contents: Contents = field(repr=False)
    again_seconds: float = math.inf


class Backend(Protocol):
    """One secret store as it is talked to. It logs in when it must, and keeps what it lends us alive."""

    async def read(self, path: str) -> Read:
        """What lies under this path now. `ReadFailed`. Whoever calls sets the time limit."""


def resolved(resolve: Resolve, text: str) -> str:
    """What we log in with, its references expanded. `ReadFailed`."""
    try:
        return resolve(text)
    except ConfigError as error:
        raise ReadFailed("login_unresolved", " ".join(error.problems).removesuffix(".")) from None


def text_of(settings: Mapping[str, JSON], name: str, default: str = "") -> str:
    """A text member of a store's settings, or the default where it is absent."""
    value = settings.get(name)
    return value if isinstance(value, str) else default
