"""Kong's Admin API over a node in memory, asked as a test writes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from tests.unit.dialects.fake_desk import FakeDesk

from jwtgate.dialects.dialect import Call, Objects, Reply
from jwtgate.dialects.kong.admin.api import KongAdmin, Read
from jwtgate.dialects.kong.file import read_objects

FORM, JSON_TYPE = "application/x-www-form-urlencoded", "application/json"
NOW = 1_790_000_000


def read(texts: Sequence[tuple[str, bytes]]) -> Objects | None:
    """The objects of one text."""
    ((name, data),) = texts
    return read_objects(data, name)


class Asking:
    """`status` and `value` are those of the last answer; `now` is the time there."""

    def __init__(
        self,
        objects: Objects | None = None,
        *,
        desk: FakeDesk | None = None,
        read: Read = read,
        is_declarative: bool = False,
    ) -> None:
        self.desk = desk or FakeDesk(objects)
        self.now = NOW
        self.api = KongAdmin(self.desk, read, is_declarative=is_declarative, wall=lambda: float(self.now))
        self.reply = Reply(0)

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def value(self) -> Any:
        return json.loads(self.reply.body)

    def send(self, method: str, path: str, body: bytes | str = b"", media_type: str | None = None) -> int:
        """The status of the answer to a request with this body."""
        path, _, query = path.partition("?")
        data = body.encode() if isinstance(body, str) else body
        fields = (("content-type", media_type),) if media_type else ()
        self.reply = asyncio.run(self.api.answer(Call(method, path, query, fields, data)))
        return self.status

    def form(self, method: str, path: str, *pairs: str) -> int:
        """The status of the answer to a form, as curl sends one."""
        return self.send(method, path, "&".join(pairs), FORM)

    def json(self, method: str, path: str, value: object) -> int:
        """The status of the answer to a JSON value."""
        return self.send(method, path, json.dumps(value), JSON_TYPE)

    def get(self, path: str) -> Any:
        """What a GET answers; it must be a 200."""
        assert self.send("GET", path) == 200, self.reply
        return self.value

    def made(self, path: str, value: object) -> Any:
        """What a POST makes; it must be a 201."""
        assert self.json("POST", path, value) == 201, self.reply
        return self.value
