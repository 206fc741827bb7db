"""An Admin API over a node in memory, and `jwtgate ctl` asking it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.ports import free_port
from tests.unit.admin.conftest import OPERATORS, TOKEN
from tests.unit.admin.node import Node

from jwtgate.admin.server import AdminListener
from jwtgate.cli.ctl.client import Access
from jwtgate.cli.main import main
from jwtgate.policy.sources import Administration


@dataclass(frozen=True)
class Served:
    node: Node
    url: str

    @property
    def access(self) -> Access:
        return Access(self.url, TOKEN)


@pytest.fixture(scope="session")
def listener() -> Iterator[Served]:
    """Listens on a thread of its own until the tests are done."""
    port = free_port()
    loop, node, ready = asyncio.new_event_loop(), Node(), threading.Event()
    admin = AdminListener(node)

    def run() -> None:
        loop.run_until_complete(admin.adopt(Administration("127.0.0.1", port, OPERATORS)))
        loop.call_soon(ready.set)
        loop.run_forever()
        loop.run_until_complete(admin.close())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    yield Served(node, f"http://127.0.0.1:{port}")
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.fixture
def served(listener: Served) -> Served:
    listener.node.__init__()  # type: ignore[misc]  # as new
    return listener


class Ctl:
    """Runs commands as alice unless told otherwise."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *args: str, input: str | None = None, token: str = TOKEN) -> Result:  # noqa: A002 - as click has it
        environ = {"JWTGATE_ADMIN_URL": self.url, "JWTGATE_ADMIN_TOKEN": token}
        return CliRunner().invoke(main, ["ctl", *args], input=input, env=environ)

    def json(self, *args: str, input: str | None = None) -> Any:  # noqa: A002 - as click has it
        """The JSON answer of a command that must be done."""
        result = self.run(*args, "--json", input=input)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def ctl(served: Served) -> Ctl:
    return Ctl(served.url)
