"""The Admin API over a node in memory, asked without a socket."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.admin.node import NOON, Node

from jwtgate.admin.access.attempts import Attempts
from jwtgate.admin.access.guard import Guard
from jwtgate.admin.app import guarded_app
from jwtgate.policy.sources import Operator

TOKEN, LOOKING_TOKEN = "operator-token-of-alice", "operator-token-of-bob"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


OPERATORS = (
    Operator("alice", token_sha256=digest(TOKEN)),
    Operator("bob", token_sha256=digest(LOOKING_TOKEN), may_write=False),
    Operator("carol", certificate_subject="CN=carol,O=Example"),
)


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks the application, as alice unless told otherwise."""

    def __init__(self, app: Guard) -> None:
        self.app = app

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = TOKEN,
        fields: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
        state: Mapping[str, Any] | None = None,
        breaks_off: bool = False,
        keep_failure: bool = False,
    ) -> Answer:
        """The answer; `body` is sent as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"host": "127.0.0.1:9901", **({"authorization": f"Bearer {token}"} if token else {})}
        if data:
            sent |= {"content-type": "application/json", "content-length": str(len(data))}
        sent |= fields or {}
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": (address, 50000),
            "server": ("127.0.0.1", 9901),
            "state": dict(state or {}),
        }
        return asyncio.run(self._run(scope, data, breaks_off, keep_failure))

    async def _run(self, scope: dict[str, Any], data: bytes, breaks_off: bool, keep_failure: bool) -> Answer:
        waiting = [{"type": "http.request", "body": data, "more_body": breaks_off}]
        sent: list[Any] = []

        async def receive() -> Any:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:  # the answer was sent before a failure is passed on to the journal
            if not keep_failure:
                raise
        fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], fields, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture(scope="session")
def whole() -> tuple[Node, Guard]:
    """One application for all tests: making it takes longer than asking it."""
    node = Node()
    return node, guarded_app(node, OPERATORS, shows_page=True, wall=lambda: float(NOON), monotonic=lambda: 100.0)


@pytest.fixture
def node(whole: tuple[Node, Guard]) -> Node:
    whole[0].__init__()  # type: ignore[misc]  # as new
    return whole[0]


@pytest.fixture
def client(whole: tuple[Node, Guard], node: Node) -> Client:
    whole[1].attempts = Attempts(lambda: 100.0)
    return Client(whole[1])
