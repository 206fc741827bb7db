"""An introspection endpoint that fails in every way, and one that meets five hundred questions about one token."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.keys.neighbours import AUDIENCE, Issuer, Neighbours
from tests.integration.gateway_process import GatewayProcess
from tests.integration.scripted_server import Script, answer

from jwtgate.jose.encoding import json_bytes

MOST_IN_FLIGHT = 8
PLACE = "/introspect"
ACTIVE = answer(json_bytes({"active": True, "aud": AUDIENCE, "sub": "ann"}))
FAILS = "issuer {}: introspection fails: {}"
WORKS = "issuer {}: introspection works again"


@pytest.fixture
def around() -> Iterator[Neighbours]:
    with Neighbours() as running:
        yield running


class Endpoint:
    """An introspection endpoint that writes down when each call began and ended."""

    def __init__(self, around: Neighbours) -> None:
        self.issuer = around.issuer()
        self.calls: list[list[float]] = []
        self.most = 0
        self.says(_active)

    def says(self, script: Script) -> None:
        """Answer so from now on."""

        async def page(writer: asyncio.StreamWriter) -> None:
            call = [time.monotonic(), float("inf")]
            self.calls.append(call)
            self.most = max(self.most, sum(ends == float("inf") for _, ends in self.calls))
            try:
                await script(writer)
            finally:
                call[1] = time.monotonic()

        self.issuer.says(page, PLACE)


async def _active(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.02)
    writer.write(ACTIVE)


async def _fails(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"", status="500 Oh"))


async def _never(writer: asyncio.StreamWriter) -> None:
    # A byte now and then, so that the end of who asks is noticed.
    writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        await asyncio.sleep(0.1)
        writer.write(b"a")
        await writer.drain()


async def _garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b'{"active":tr'))


async def _flaps(writer: asyncio.StreamWriter) -> None:
    await (_active if int(time.monotonic() / 2) % 2 else _fails)(writer)


def document(around: Neighbours, issuers: dict[str, Issuer]) -> str:
    """A gateway that asks each of these issuers about the tokens of the route `/NAME/*`."""
    asking = {"client_id": "gate", "client_secret": "s", "most_in_flight": MOST_IN_FLIGHT, "cache_seconds": 600}
    upstream = {"upstream": "echo"}
    return json.dumps(
        {
            "listen": ["127.0.0.1:0"],
            "status_listen": "127.0.0.1:0",
            "issuers": {
                name: {"audience": AUDIENCE, "introspection": {**asking, "endpoint": f"{issuer.origin}{PLACE}"}}
                for name, issuer in issuers.items()
            },
            "upstreams": {"echo": {"targets": [around.upstream]}},
            "routes": {
                name: {"path": f"/{name}/*", "auth": "required", "issuers": [name], "introspect": "always", **upstream}
                for name in issuers
            },
        }
    )


def in_turn(names: list[str]) -> Callable[[], str]:
    """The paths of these routes, one after the other."""
    return cycle([f"/{name}/1" for name in names]).__next__


def left_alone(gateway: GatewayProcess) -> set[str]:
    """The issuers that are not asked at the moment."""
    state = json.loads(gateway.get("/healthz?verbose", listener=-1)[1])
    return {each["issuer"] for each in state["introspections"] if each["left_alone"]}


def test_rel_64_a_failing_endpoint_is_left_alone_and_met_by_no_herd(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    seconds, amount = (60, 2_000) if full else (6, 200)
    ways: dict[str, Script | None] = {
        "fails": _fails,
        "never": _never,
        "garbage": _garbage,
        "flaps": _flaps,
        "down": None,
    }
    endpoints = {name: Endpoint(around) for name in ways}
    issuers = {name: endpoint.issuer for name, endpoint in endpoints.items()}
    with GatewayProcess(tmp_path, document(around, issuers)) as gateway:
        figures = Figures(
            "REL-64",
            f"five endpoints for {seconds} s: 500, byte by byte, garbage, up and down each 2 s, down",
            pids=gateway.pids,
            log=gateway.journal,
        )
        port, names = gateway.ports[0], [*ways]
        known = Load(port, token="known", path=in_turn(names), pause_seconds=0.004)
        new = Load(port, token=lambda: secrets.token_hex(8), connections=40, path=in_turn(names), pause_seconds=0.02)
        with figures, known:
            known.more(amount)
            for name, script in ways.items():
                if script is None:
                    endpoints[name].issuer.down()
                else:
                    endpoints[name].says(script)
            before = {name: len(endpoint.calls) for name, endpoint in endpoints.items()}
            began = time.monotonic()
            with new:
                gateway.until(lambda: {"fails", "never", "garbage", "down"} <= left_alone(gateway))
                time.sleep(max(0.0, began + seconds - time.monotonic()))
                calls = {name: len(endpoint.calls) - before[name] for name, endpoint in endpoints.items()}
                ended = time.monotonic()
                for name, endpoint in endpoints.items():
                    endpoint.says(_active)
                    if name == "down":
                        endpoint.issuer.up()
                back = recovery_seconds(lambda: _all_work(gateway, names), most_seconds=32)
                new.more(100)
            figures.note_load(known, began=began, ended=ended)
            figures.note("recovery_seconds", back)
            figures.note("fetches", ", ".join(f"{name} {count}" for name, count in calls.items()))
            figures.note("most_calls_at_once", max(endpoint.most for endpoint in endpoints.values()))
            figures.note("new_tokens", f"{new.statuses[200]} × 200, {new.statuses[503]} × 503, {new.dropped} dropped")
            figures.note("longest_wait_of_a_new_token", f"{new.percentile(100) / 1000:.1f} s")
        assert (known.dropped, known.wrong(200)) == (0, 0), "what is remembered stays good"
        assert new.dropped == 0
        assert set(new.statuses) == {200, 503}
        assert max(endpoint.most for endpoint in endpoints.values()) <= MOST_IN_FLIGHT
        for name in ("fails", "garbage"):
            # Those under way when the fifth failed, and one after each rest of 1, 2, 4 … 30 seconds.
            assert calls[name] <= 5 + MOST_IN_FLIGHT + 5 + seconds // 15
        for name in ("fails", "garbage", "never", "down"):
            assert _first_alone(endpoints[name], ended), "one call sees whether it is back, before all others go"
        assert left_alone(gateway) == set()
        told = figures.log_events()
        assert all(told[WORKS.format(name)] == 1 for name in ways if name != "flaps")
        assert [told[FAILS.format(*each)] for each in (("fails", "status_500"), ("garbage", "json"))] == [1, 1]
        assert told[FAILS.format("down", "refused")] == 1
        assert sum(count for line, count in told.items() if "flaps" in line) <= 2 + seconds // 30


def _all_work(gateway: GatewayProcess, names: list[str]) -> bool:
    return all(gateway.get(f"/{name}/1", token=secrets.token_hex(8))[0] == 200 for name in names)


def _first_alone(endpoint: Endpoint, since: float) -> bool:
    """Whether the first call after this was over before the second began."""
    calls = [call for call in endpoint.calls if call[0] >= since]
    return len(calls) > 1 and calls[0][1] <= calls[1][0]


def test_rel_65_five_hundred_requests_with_one_new_token_are_one_call(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    rounds, connections = 10 if full else 1, 500
    endpoint = Endpoint(around)

    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1.0)
        writer.write(ACTIVE)

    endpoint.says(slowly)
    with GatewayProcess(tmp_path, document(around, {"main": endpoint.issuer})) as gateway:
        figures = Figures(
            "REL-65", f"{connections} connections come with one new token, {rounds} times", pids=gateway.pids
        )
        requests = dropped = wrong = 0
        with figures:
            for _ in range(rounds):
                with Load(
                    gateway.ports[0], token=secrets.token_hex(8), path="/main/1", connections=connections
                ) as load:
                    load.until(connections)
                requests, dropped, wrong = (
                    requests + load.requests,
                    dropped + load.dropped,
                    wrong + load.wrong(200),
                )
            figures.note("requests", requests)
            figures.note("dropped", dropped)
            figures.note("wrong", wrong)
            figures.note("fetches", len(endpoint.calls))
        assert (dropped, wrong) == (0, 0)
        assert len(endpoint.calls) == rounds
