"""A dialect's Admin API at its addresses: requests read whole, answers given whole."""

import asyncio
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jwtgate.admin.doors import Door, Doors
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


@pytest.mark.parametrize(("given", "size", "left"), [(2, 2000, 0), (3, 3000, 0), (9, 3000, 6)])
def test_a_body_beyond_the_limit_is_read_no_further(given: int, size: int, left: int) -> None:
    pieces = [{"type": "http.request", "body": b"x" * 1000, "more_body": number > 0} for number in range(given)]
    sent = asyncio.run(asked(FakeApi(FakeDesk()), pieces))
    assert (json.loads(sent[1]["body"])["size"], len(pieces)) == (size, left)


def test_half_a_body_is_not_looked_at() -> None:
    pieces = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"a=b", "more_body": True}]
    assert asyncio.run(asked(FakeApi(FakeDesk()), pieces)) == []


async def asked(api: FakeApi, pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a door sends when it is sent these, the last first."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, object]:
        return pieces.pop()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "raw_path": b"/", "query_string": b"", "headers": [], "client": None}
    await Door(api)(scope, receive, send)
    return sent


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


def test_sec_146_an_api_that_asks_for_no_key_listens_on_loopback_only(tmp_path: Path) -> None:
    api = FakeApi(FakeDesk())
    api.is_open = True
    doors = Doors(api, Settings(tmp_path, tmp_path, {}, admin_listen=("0.0.0.0:0",)))
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0:0: it asks for no key, .* set FAKE_KEY to have it ask for one"):
        asyncio.run(doors.adopt(None))
