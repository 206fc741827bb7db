"""An application is served at its address until it is closed."""

import asyncio

import pytest

from jwtgate.admin.listening import bound, serve
from jwtgate.errors import ConfigError


def test_an_address_in_use_is_a_mistake_that_says_what_for() -> None:
    with bound("127.0.0.1", 0, what="here") as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"there: 127\.0\.0\.1:{port}: .*in use"):
            bound("127.0.0.1", port, what="there")


def test_what_is_closed_is_no_longer_there() -> None:
    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def use() -> None:
        serving = serve(app, bound("127.0.0.1", 0, what="here"), None)
        host, _, port = serving.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 204")
        writer.close()
        await serving.close()
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection(host, int(port))

    asyncio.run(use())
