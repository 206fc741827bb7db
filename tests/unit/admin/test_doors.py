"""A dialect's Admin API at its addresses: requests read whole, answers given whole."""

import asyncio
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jwtgate.admin.doors import MOST_BODY_BYTES, Door, Doors
from jwtgate.dialects.author import with_certificate
from jwtgate.dialects.dialect import Settings
from jwtgate.errors import ConfigError

from ..dialects.fake_desk import FakeDesk
from ..dialects.fake_dialect import FakeApi


def ask(
    address: str,
    method: str,
    target: str,
    *,
    body: bytes = b"",
    tls: bool = False,
    fields: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(address, context=context) if tls else http.client.HTTPConnection(address)
    connection.request(method, target, body, dict(fields or {}))
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, read


@pytest.mark.parametrize("tls", [False, True])
def test_a_call_is_answered_where_the_settings_say(tmp_path: Path, *, tls: bool) -> None:
    async def use() -> None:
        settings = Settings(tmp_path, tmp_path, {})
        addresses = ("127.0.0.1:0",)
        settings = replace(settings, **{"admin_tls_listen" if tls else "admin_listen": addresses})
        doors = Doors(FakeApi(FakeDesk()), with_certificate(settings))
        await doors.adopt(None)
        await doors.adopt(None)
        (address,) = doors.addresses
        status, told = await asyncio.to_thread(ask, address, "PUT", "/a%2Fb?c=d&e", body=b"123", tls=tls)
        assert (status, json.loads(told)) == (201, {"method": "PUT", "path": "/a%2Fb", "query": "c=d&e", "size": 3})
        assert (await asyncio.to_thread(ask, address, "GET", "/broken", tls=tls))[0] == 500
        await doors.close()
        with pytest.raises(OSError, match="refused"):
            await asyncio.to_thread(ask, address, "GET", "/", tls=tls)

    asyncio.run(use())


def test_an_address_that_cannot_be_used_is_a_mistake(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, {}, admin_listen=("203.0.113.7:1",))
    with pytest.raises(ConfigError, match=r"Admin API: 203\.0\.113\.7:1"):
        asyncio.run(Doors(FakeApi(FakeDesk()), settings).adopt(None))


def test_tls_without_a_certificate_is_a_mistake(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, {}, admin_tls_listen=("127.0.0.1:0",))
    with pytest.raises(ConfigError, match="no certificate"):
        asyncio.run(Doors(FakeApi(FakeDesk()), settings).adopt(None))


def test_a_body_beyond_the_limit_is_refused() -> None:
    pieces = [{"body": b"x" * (1024 * 1024), "more_body": True}] * (MOST_BODY_BYTES // 1024 // 1024 + 1)
    sent = []

    async def receive() -> dict[str, object]:
        return pieces.pop()

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "raw_path": b"/", "query_string": b"", "headers": [], "client": None}
    asyncio.run(Door(FakeApi(FakeDesk()))(scope, receive, send))
    assert sent[0]["status"] == 413


@pytest.mark.parametrize(
    ("method", "fields", "open_status"),
    [
        ("POST", {}, 201),
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("DELETE", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Origin": "https://evil.example"}, 201),
        ("GET", {"Host": "evil.example:8001"}, 403),
        ("GET", {"Host": "localhost:8001"}, 201),
    ],
)
def test_pages_of_others_cannot_use_an_api_that_asks_for_no_key(
    tmp_path: Path, method: str, fields: dict[str, str], open_status: int
) -> None:
    async def use(*, is_open: bool) -> int:
        api = FakeApi(FakeDesk())
        api.is_open = is_open
        doors = Doors(api, Settings(tmp_path, tmp_path, {}, admin_listen=("127.0.0.1:0",)))
        await doors.adopt(None)
        status, _ = await asyncio.to_thread(ask, doors.addresses[0], method, "/", fields=fields)
        await doors.close()
        return status

    assert asyncio.run(use(is_open=True)) == open_status
    assert asyncio.run(use(is_open=False)) == 201
