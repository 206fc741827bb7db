"""A consumer and its credentials as their owners wrote them, kept beside the consumer of ours they become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from jwtgate.dialects.apisix.admin.kept_objects import CREATED, MODIFIED
from jwtgate.dialects.apisix.admin.resources import CONSUMERS, CREDENTIALS, Entry, key_of
from jwtgate.dialects.apisix.callers import caller_of
from jwtgate.dialects.dialect import ANNOTATION, Caller, Meaning, Objects
from jwtgate.errors import ConfigError

DIALECT = "apisix"
_ITSELF = ""
Value = Mapping[str, Any]
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Record:
    """One consumer, its credentials by id, and the numbers of their changes."""

    consumer: Value = field(repr=False)
    credentials: Mapping[str, Value] = field(default_factory=dict, repr=False)
    marks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def username(self) -> str:
        """Its name."""
        return str(self.consumer["username"])

    def entry(self) -> Entry:
        """The consumer as it is shown."""
        return Entry(key_of(CONSUMERS, self.username), self.consumer, *self._numbers(_ITSELF))

    def credential(self, identity: str) -> Entry:
        """One of its credentials as it is shown."""
        key = f"{key_of(CONSUMERS, self.username)}/{CREDENTIALS}/{identity}"
        return Entry(key, self.credentials[identity], *self._numbers(identity))

    def with_consumer(self, value: Value, index: int) -> Record:
        """The same with another consumer, its credentials kept."""
        return replace(self, consumer=value, marks=self._marked(_ITSELF, index))

    def with_credential(self, identity: str, value: Value, index: int) -> Record:
        """The same with this credential."""
        return replace(self, credentials={**self.credentials, identity: value}, marks=self._marked(identity, index))

    def without_credential(self, identity: str) -> Record:
        """The same without this credential."""
        left = {each: value for each, value in self.credentials.items() if each != identity}
        marks = {each: mark for each, mark in self.marks.items() if each != identity}
        return replace(self, credentials=left, marks=marks)

    def caller(self, objects: Objects) -> Caller:
        """The consumer of ours it becomes, this record with it. `ConfigError`."""
        caller = caller_of(self.consumer, self.credentials, objects)
        refused = [note for note in caller.notes if note.meaning is Meaning.REFUSED]
        if refused:
            raise ConfigError(*(f"{note.place}: {note.sentence}" for note in refused))
        written = {"consumer": self.consumer, "credentials": self.credentials, "marks": self.marks}
        return replace(caller, value={**caller.value, ANNOTATION: {DIALECT: written}})

    def plugins(self) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
        """The plugins of the consumer, under None, and of each of its credentials."""
        yield None, self.consumer.get("plugins") or {}
        for identity, value in self.credentials.items():
            yield identity, value.get("plugins") or {}

    @property
    def can_sign(self) -> bool:
        """Whether tokens may be made in its place."""
        return any("jwt-auth" in plugins for _, plugins in self.plugins())

    def _marked(self, identity: str, index: int) -> Mapping[str, Mapping[str, int]]:
        created = self.marks.get(identity, {}).get(CREATED, index)
        return {**self.marks, identity: {CREATED: created, MODIFIED: index}}

    def _numbers(self, identity: str) -> tuple[int, int]:
        mark = self.marks.get(identity, _NONE)
        return mark.get(CREATED, 1), mark.get(MODIFIED, 1)


def record_of(value: Value | None) -> Record | None:
    """The record kept with a consumer of ours; None for one that nobody wrote here."""
    written = None if value is None else value.get(ANNOTATION, _NONE).get(DIALECT)
    return None if written is None else Record(written["consumer"], written["credentials"], written["marks"])
