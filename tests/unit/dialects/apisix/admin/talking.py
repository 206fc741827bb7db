"""An Admin API over a node in memory, and calls to it as a client makes them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.dialects.fake_desk import FakeDesk

from jwtgate.dialects.apisix.admin.api import ApisixAdmin
from jwtgate.dialects.apisix.settings import AdminKey, ApisixSettings
from jwtgate.dialects.dialect import Call, Reply

KEY = "a-key-of-the-tests"
NOON = 1_800_000_000
NODES = {"nodes": {"127.0.0.1:1980": 1}}


def settings(**members: Any) -> ApisixSettings:
    """Settings with one key."""
    given = {"admin_keys": (AdminKey("admin", KEY),), "folder": Path(), "state_folder": Path(), "environ": {}} | members
    return ApisixSettings(**given)


@dataclass
class Client:
    """Somebody with a key. `now` is the second it is."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    settings: ApisixSettings = field(default_factory=settings)
    is_declarative: bool = False
    now: float = NOON

    def __post_init__(self) -> None:
        self.admin = ApisixAdmin(self.desk, self.settings, is_declarative=self.is_declarative, wall=lambda: self.now)

    def reply(self, method: str, path: str, body: bytes = b"", **members: Any) -> Reply:
        """The answer to a call, as it is."""
        plain, _, query = path.partition("?")
        call = Call(method, f"/apisix/admin{plain}", query, body=body, **{"fields": (("x-api-key", KEY),)} | members)
        return asyncio.run(self.admin.answer(call))

    def __call__(self, method: str, path: str, value: object = None) -> tuple[int, Any]:
        """Status and value of the answer to a call."""
        reply = self.reply(method, path, b"" if value is None else json.dumps(value).encode())
        return reply.status, json.loads(reply.body) if reply.body else None

    def made(self, path: str, value: object) -> dict[str, Any]:
        """What is told of an object that is made or replaced."""
        status, told = self("PUT", path, value)
        assert status in (200, 201), told
        result: dict[str, Any] = told
        return result

    def error(self, method: str, path: str, value: object = None) -> tuple[int, str]:
        """Status and sentence of a refusal."""
        status, told = self(method, path, value)
        return status, told["error_msg"]
