"""An upstream that ends its connections at the wrong moment (REL-71)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

import pytest
from tests.faults.harness.figures import Figures
from tests.faults.harness.load import Load
from tests.faults.upstreams.target import OK, Reply, Target, gateway_before
from tests.integration.gateway_process import GatewayProcess
from tests.integration.rig import (
    Client,
    Gateway,
    Script,
    Upstream,
    gateway_and_upstream,
    refusal_of,
    request,
    response,
    say,
    say_and_close,
    say_and_reset,
    token,
    until,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Kind(NamedTuple):
    """What becomes of a request that meets this end: it is tried again, answered 502, cut off, or nothing happens."""

    reply: Reply
    outcome: str


KINDS = {
    "before the response": Kind(Reply(b"", "close"), "again"),
    "reset before the response": Kind(Reply(b"", "reset"), "again"),
    "in the head": Kind(Reply(b"HTTP/1.1 200 OK\r\nContent-Le", "close"), "502"),
    "in a body with a length": Kind(Reply(response(b"abc", length=10), "close"), "cut"),
    "in a chunk": Kind(Reply(CHUNKED + b"5\r\nabc", "close"), "cut"),
    "after bytes too many": Kind(Reply(response(b"abc") + b"extra"), "nothing"),
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GatewayProcess, Target]]:
    with Target() as target, gateway_before(tmp_path_factory.mktemp("gateway"), target) as gateway:
        yield gateway, target


@pytest.mark.parametrize("kind", KINDS)
def test_rel_71_of_ten_requests_one_meets_the_end_and_that_costs_what_it_must(
    loaded: tuple[GatewayProcess, Target], kind: str, full: bool
) -> None:
    gateway, target = loaded
    reply, outcome = KINDS[kind]
    ends: set[str] = set()
    numbers = count(1)

    def answered(number: int, path: str) -> Reply:
        if path in ends or not path.endswith("0"):
            return OK
        ends.add(path)
        return reply

    target.requests, target.reply = 0, answered
    with (
        Figures("REL-71", f"the upstream ends {kind}", pids=gateway.pids, log=gateway.journal) as figures,
        Load(gateway.ports[0], token=token(), path=lambda: f"/orders/{next(numbers)}") as load,
    ):
        load.until(2_000 if full else 300)
        load.__exit__()
        figures.note("requests", load.requests)
        figures.note("dropped", load.dropped)
        figures.note("wrong", load.wrong(200))
        figures.note("ends", len(ends))
        expected = {"again": (0, 0), "502": (0, len(ends)), "cut": (len(ends), 0), "nothing": (0, 0)}
        assert (load.dropped, load.statuses[502]) == expected[outcome]
        assert load.wrong(200) == load.statuses[502]
        assert len(ends) >= 20
        assert target.requests == load.requests + (len(ends) if outcome == "again" else 0)


# One end at a time, to the byte.


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Gateway, Upstream]]:
    with gateway_and_upstream() as both:
        yield both


@pytest.fixture
def upstream(both: tuple[Gateway, Upstream]) -> Iterator[Upstream]:
    both[1].forget()
    yield both[1]
    both[1].script = say(response())


@pytest.fixture
def client(both: tuple[Gateway, Upstream]) -> Iterator[Client]:
    with Client(both[0].port) as client:
        yield client


CLOSED_BEFORE = [say_and_close(b""), say_and_reset(b"")]


@pytest.mark.parametrize("end", CLOSED_BEFORE, ids=["end", "reset"])
def test_rel_71_an_end_before_the_answer_is_survived_once(client: Client, upstream: Upstream, end: Script) -> None:
    upstream.play(end)
    assert client.ask(request()).body == b"ok"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("end", [say_and_close, say_and_reset], ids=["end", "reset"])
@pytest.mark.parametrize("head", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"])
def test_rel_71_an_end_in_the_head_is_a_502(
    client: Client, upstream: Upstream, head: bytes, end: Callable[[bytes], Script]
) -> None:
    upstream.play(end(head))
    assert refusal_of(client.ask(request())) == (502, "upstream_malformed")
    assert len(upstream.requests) == 1
    assert client.ask(request()).status == 200


BROKEN_BODIES = {
    "in a body with a length": response(b"abc", length=10),
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "in a chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5",
    "before the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "before the end of the trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
}


@pytest.mark.parametrize("end", [say_and_close, say_and_reset], ids=["end", "reset"])
@pytest.mark.parametrize("answer", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
def test_rel_71_an_end_in_the_body_cannot_look_complete(
    client: Client, upstream: Upstream, answer: bytes, end: Callable[[bytes], Script]
) -> None:
    upstream.play(end(answer))
    message = client.ask(request())
    assert (message.status, message.complete, client.end) == (200, False, "reset")
    assert len(upstream.requests) == 1


def test_rel_71_a_broken_answer_cannot_look_complete_to_an_old_client(client: Client, upstream: Upstream) -> None:
    upstream.play(say_and_close(BROKEN_BODIES["in a chunk"]))
    client.send(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
    message = client.answer()
    assert (message.value("Content-Length"), message.complete, client.end) == (None, False, "reset")


def test_rel_71_a_reset_does_not_complete_a_body_that_ends_with_its_connection(
    client: Client, upstream: Upstream
) -> None:
    upstream.play(say_and_reset(b"HTTP/1.1 200 OK\r\n\r\nabc"))
    message = client.ask(request())
    assert (message.complete, client.end) == (False, "reset")


def test_rel_71_bytes_too_many_end_the_connection_to_the_upstream(client: Client, upstream: Upstream) -> None:
    upstream.play(say(response(b"abc") + b"extra"))
    assert client.ask(request()).body == b"abc"
    (used,) = [served for served in upstream.connections if upstream.requests[0] in served.requests]
    until(lambda: used.end)
    assert client.ask(request()).body == b"ok"


def test_rel_71_a_broken_chunk_behind_its_head_is_a_502_while_that_has_not_left(
    client: Client, upstream: Upstream
) -> None:
    upstream.play(say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"))
    assert refusal_of(client.ask(request())) == (502, "upstream_malformed")
