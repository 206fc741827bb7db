"""A gateway in this process serves, changes over and ends like one of several processes."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.errors import ConfigError

from .samples import DOCUMENT, SECRET

ENVIRON = {"TEST_SECRET": SECRET}


@pytest.fixture
def nowhere() -> Iterator[int]:
    """A descriptor for the access log nobody reads."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


async def get(gateway: EmbeddedGateway, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(*gateway.addresses[0])
    writer.write(f"GET {path} HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def run(asked: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await asked()

    asyncio.run(bounded())


def test_it_serves_while_inside_with_and_gives_its_port_back(nowhere: int) -> None:
    async def use() -> None:
        async with EmbeddedGateway(DOCUMENT, environ=ENVIRON, log_descriptor=nowhere) as gateway:
            assert (await get(gateway, "/orders"))[0] == 401
            status, body = await get(gateway, "/readyz")
            assert status == 200
            assert json.loads(body)["ready"] is True
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*gateway.addresses[0])

    run(use)


def test_a_document_that_cannot_be_used_is_refused_on_entry(nowhere: int) -> None:
    async def use() -> None:
        with pytest.raises(ConfigError):
            async with EmbeddedGateway(DOCUMENT, environ={}, log_descriptor=nowhere):
                pass

    run(use)


def test_a_reload_changes_what_is_served_from_the_next_request_on(nowhere: int) -> None:
    async def use() -> None:
        async with EmbeddedGateway(DOCUMENT, environ=ENVIRON, log_descriptor=nowhere) as gateway:
            await gateway.reload(DOCUMENT.replace('"/*"', '"/orders/*"'))
            assert (await get(gateway, "/other"))[0] == 404
            assert json.loads((await get(gateway, "/readyz"))[1])["generation"] == 2

    run(use)


@pytest.mark.parametrize("broken", ["listen: [", DOCUMENT.replace("127.0.0.1:0", "127.0.0.2:0")])
def test_a_reload_that_cannot_be_changes_nothing(nowhere: int, broken: str) -> None:
    async def use() -> None:
        async with EmbeddedGateway(DOCUMENT, environ=ENVIRON, log_descriptor=nowhere) as gateway:
            with pytest.raises(ConfigError):
                await gateway.reload(broken)
            assert (await get(gateway, "/orders"))[0] == 401
            assert json.loads((await get(gateway, "/readyz"))[1])["generation"] == 1

    run(use)


def test_sec_76_a_generation_of_later_knows_that_the_store_is_away(nowhere: int) -> None:
    class Watch:
        def look(self) -> str:
            return "locked"

    async def use() -> None:
        async with EmbeddedGateway(DOCUMENT, environ=ENVIRON, log_descriptor=nowhere) as gateway:
            assert not gateway.worker.generation.facts.store_away
            callers = gateway.running.callers
            callers._watch, callers.store_away = Watch(), True  # type: ignore[assignment]
            await gateway.reload(DOCUMENT)
            assert gateway.worker.generation.facts.store_away

    run(use)


def test_signing_keys_outlive_it_where_it_has_a_state_folder(nowhere: int, tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(DOCUMENT)

    async def published() -> bytes:
        async with EmbeddedGateway(
            tmp_path / "gate.yaml", state_folder=tmp_path / "state", environ=ENVIRON, log_descriptor=nowhere
        ) as gateway:
            return (await get(gateway, "/.well-known/jwks.json"))[1]

    async def use() -> None:
        assert await published() == await published()

    run(use)
