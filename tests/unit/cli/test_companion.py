"""The Admin API beside a gateway."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

from tests.unit.admin.conftest import OPERATORS
from tests.unit.admin.node import Node

from jwtgate.cli.companion import AdminApi
from jwtgate.policy.sources import Administration

WITHOUT = """
import asyncio, sys
sys.modules["fastapi"] = None
from jwtgate.cli.companion import AdminApi
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import Administration
api = AdminApi(None)
asyncio.run(api.adopt(None))
try:
    asyncio.run(api.adopt(Administration("127.0.0.1", 1, ())))
except ConfigError as error:
    print(error)
"""


def test_it_listens_while_the_document_asks_for_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    async def moves() -> list[bool]:
        api = AdminApi(Node())  # type: ignore[arg-type]  # does what it needs
        settings = Administration("127.0.0.1", port, OPERATORS)
        found = []
        for adopted in (None, settings, None, settings):
            await api.adopt(adopted)
            found.append(await listens())
        await api.close()
        return [*found, await listens()]

    assert asyncio.run(moves()) == [False, True, False, True, False]


def test_an_installation_without_it_says_what_to_install() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=30)
    assert run.stdout == (
        "admin: the Admin API needs fastapi, which is not installed: install jwtgate with its extra 'admin'\n"
    ), run.stderr


def test_a_gateway_without_it_imports_no_framework() -> None:
    code = "import sys, jwtgate.cli.companion, jwtgate.control.supervisor; print('fastapi' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert run.stdout == "False\n", run.stderr
