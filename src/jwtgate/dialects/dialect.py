"""What a dialect is: somebody else's documents and Admin API, translated into ours.

A dialect holds objects, plain JSON as its users write it. It reads them from a file, checks each as the other gateway
would, and says what they mean in a document of ours, with a note for every setting. Nothing below knows of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

_NAME = re.compile(r"[!#-\[\]-~]{1,128}")
Objects = dict[str, Any]
"""What a dialect keeps: its objects but for the callers of a store, in whatever shape suits it. Plain JSON."""
ANNOTATION = "annotations"
"""The member of a consumer's record that holds what a dialect's users wrote of it."""


class Meaning(Enum):
    """What became of a setting."""

    EXACT = "exact"
    CHANGED = "changed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Note:
    """What became of one setting: where it stands, and for what is not exact, how it is meant now or why not.

    `dangerous`: taken over as it is, and worth a second look.
    """

    place: str
    meaning: Meaning
    sentence: str = ""
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """One consumer of ours: its name, its value as a document has it, and the notes on it."""

    name: str
    value: dict[str, Any] = field(repr=False)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Translation:
    """A document of ours as plain data, without its consumers, and a note for every setting."""

    document: dict[str, Any] = field(repr=False)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a dialect is served. Addresses are `host:port`; `tls_*` those that speak TLS, with `certificate` and its key.

    `folder` is where files named in a document are looked for, `state_folder` where our own are made. `environ` is the
    environment, `chosen_environment` the name of one that a document speaks of.
    """

    folder: Path
    state_folder: Path
    environ: Mapping[str, str] = field(repr=False)
    listen: tuple[str, ...] = ()
    tls_listen: tuple[str, ...] = ()
    admin_listen: tuple[str, ...] = ()
    admin_tls_listen: tuple[str, ...] = ()
    certificate: str | None = None
    private_key: str | None = None
    chosen_environment: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a dialect's Admin API. `path` and `query` are as they were sent; field names in lower case."""

    method: str
    path: str
    query: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    client: str = "127.0.0.1"

    def value(self, name: str) -> str | None:
        """The value of the first field of this lower-case name."""
        return next((value for other, value in self.fields if other == name), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a dialect's Admin API answers."""

    status: int
    body: bytes = field(default=b"", repr=False)
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """Objects as the node keeps them, and their version, 0 before the first."""

    objects: Objects = field(repr=False)
    version: int = 0


class Conflict(Exception):
    """Somebody else changed it meanwhile, or a file owns it."""


class Desk(Protocol):
    """What a dialect may ask of the node it is served by. Whoever changes something holds `changing` meanwhile."""

    def changing(self) -> Any:
        """An async context manager: one change at a time."""

    async def kept(self) -> Kept:
        """The objects now."""

    async def keep(self, objects: Objects, *, over: int, who: str) -> None:
        """Translate, check, keep and serve these objects: all of it or nothing.

        `ConfigError` when they cannot be served, `Conflict` when `over` is not the version any more.
        """

    async def caller(self, name: str) -> Mapping[str, Any] | None:
        """The whole value of the consumer of this name, its annotations and secrets included; None: there is none."""

    async def callers(self, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Consumers with their whole values in the order of their names, from behind this one."""

    async def caller_with(self, credential: str) -> str | None:
        """The name of the consumer one of whose credentials has this name in tokens, or is this API key's."""

    async def caller_known_as(self, name: str) -> str | None:
        """The name of the consumer that has this `id` or `external_id`."""

    async def put_caller(self, caller: Caller, *, who: str) -> None:
        """Know this consumer from now on. `ConfigError`, also when a name of it or of a credential is another's."""

    async def delete_caller(self, name: str, *, who: str) -> bool:
        """Whether there was such a consumer, which is gone now, its credentials with it."""


class AdminApi(Protocol):
    """A dialect's Admin API. It never raises for what a caller got wrong."""

    @property
    def is_open(self) -> bool:
        """Whether it answers whoever reaches it, without asking for a key."""

    @property
    def key_variable(self) -> str:
        """The environment variable that has it ask for a key."""

    @property
    def most_body_bytes(self) -> int:
        """How large the body of a call may be. A larger one is only begun to be read, and `answer` has to refuse it."""

    async def answer(self, call: Call) -> Reply:
        """What the other gateway would answer."""

    async def tend(self) -> None:
        """Do what is due by itself; runs as long as the node, until it is cancelled."""


class Dialect(Protocol):
    """One other gateway."""

    @property
    def name(self) -> str:
        """Its name, in lower case."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def endings(self) -> tuple[str, ...]:
        """How the names of its files end, where a folder is given in place of files."""

    @property
    def made(self) -> tuple[str, ...]:
        """The collections of objects that `complete` makes. They are kept also where all others come from a file."""

    def settings(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Settings:
        """These settings with what is missing as the files (names and contents) or the other gateway's habits say."""

    def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects | None:
        """The objects these files hold, its callers among them; None: they only hold settings.

        A name is the path of its file from the folder of the settings. `ConfigError` with every mistake, each with
        file, line where known, place and cause.
        """

    def files_named(self, objects: Objects, settings: Settings) -> tuple[Path, ...]:
        """The files besides that these objects were made from, or that are read when they are translated."""

    def complete(self, objects: Objects) -> Objects:
        """The same with what the other gateway would make by itself (keys, secrets); the same object if nothing."""

    def translate(self, objects: Objects, settings: Settings) -> Translation:
        """What these objects mean, without callers. `ConfigError` for what cannot be served."""

    def callers(self, objects: Objects, settings: Settings) -> Iterator[Caller]:
        """The callers among these objects. `ConfigError` for one that cannot be used."""


@runtime_checkable
class AdministeredDialect(Dialect, Protocol):
    """One other gateway that has an Admin API."""

    def admin(self, desk: Desk, settings: Settings, *, is_declarative: bool) -> AdminApi:
        """Its Admin API. `is_declarative`: the objects come from a file, which owns them."""


def as_name(text: str) -> str:
    """The text where it can be a name of a document, else its digest."""
    return text if _NAME.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()[:32]


def literal(text: str) -> str:
    """The text as a document of ours has to hold it, where it might look like a reference."""
    return text.replace("${", "$${")


def literals(value: Any) -> Any:
    """The same with every text in it as `literal` has it; names of members stay, since none is looked at for one."""
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, dict):
        return {name: literals(each) for name, each in value.items()}
    return [literals(each) for each in value] if isinstance(value, list | tuple) else value
