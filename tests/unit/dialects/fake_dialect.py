"""A dialect of two words, for the tests of what all dialects share: doors that answer, and people who may pass."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jwtgate.dialects.dialect import AdminApi, Call, Caller, Desk, Meaning, Note, Objects, Reply, Settings, Translation
from jwtgate.errors import ConfigError


class FakeApi:
    """Answers what it was asked, and tends nothing."""

    is_open = False
    key_variable = "FAKE_KEY"
    most_body_bytes = 2500

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def answer(self, call: Call) -> Reply:
        """The call, told back."""
        if call.path == "/broken":
            raise RuntimeError
        told = {"method": call.method, "path": call.path, "query": call.query, "size": len(call.body)}
        return Reply(201, json.dumps(told).encode(), (("Content-Type", "application/json"),))

    async def tend(self) -> None:
        """Nothing is due."""


class FakeDialect:
    """Objects are `doors` (paths and statuses), `walls` (refused), `people` (names), and `marks`, which are made."""

    name = "fake"
    title = "Fake"
    endings = (".json",)
    made = ("marks",)

    def settings(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Settings:
        """Listens on any port."""
        return replace(settings, listen=settings.listen or ("127.0.0.1:0",))

    def read(self, texts: Sequence[tuple[str, bytes]], settings: Settings) -> Objects | None:
        """The JSON of the files."""
        found: Objects = {}
        for name, data in texts:
            try:
                found.update(json.loads(data))
            except ValueError:
                raise ConfigError(f"{name}: is no JSON") from None
        return found or None

    def files_named(self, objects: Objects, settings: Settings) -> tuple[Path, ...]:
        """Those of the keys."""
        return tuple(settings.folder / name for name in objects.get("keys", ()))

    def complete(self, objects: Objects) -> Objects:
        """With marks."""
        return objects if "marks" in objects else {**objects, "marks": "made"}

    def translate(self, objects: Objects, settings: Settings) -> Translation:
        """A route for each door."""
        routes = {
            name: {"path": name, "auth": "none", "upstream": "nobody"} for name in objects.get("doors", {"/none": 200})
        }
        document: dict[str, Any] = {
            "listen": list(settings.listen),
            "upstreams": {"nobody": {"targets": "http://127.0.0.1:9"}},
            "routes": routes,
        }
        refused = (Note(name, Meaning.REFUSED, "leads nowhere") for name in objects.get("walls", ()))
        return Translation(document, (*(Note(name, Meaning.EXACT) for name in routes), *refused))

    def callers(self, objects: Objects, settings: Settings) -> Iterator[Caller]:
        """A consumer for each of the people."""
        return (Caller(name, {"labels": {"of": "a file"}}) for name in objects.get("people", ()))

    def admin(self, desk: Desk, settings: Settings, *, is_declarative: bool) -> AdminApi:
        """An Admin API that tells calls back."""
        return FakeApi(desk)
