"""Every spelling of identity fields in every place on every kind of route, over HTTP/1.1 and HTTP/2 (SEC-112 to 116).

Whatever a client writes, no upstream is told it: what an upstream learns of the caller is ours, or it learns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from tests.conformance.head_readers import READERS, gateway_reading_by
from tests.conformance.identity.spellings import FORGED, NAMES, no_names, placements, spellings
from tests.integration.http2.frame_client import FrameClient, asked
from tests.integration.rig import LATER, Client, Upstream, chunked, document, request, token

TOLD = {"X-User-Id": {"claim": "sub"}, "X-Groups": {"claim": "groups"}}
_GUARD = {"issuers": ["main"], "upstream": "echo", "headers": TOLD}
ROUTES = {
    "orders": {"headers": TOLD},
    "optional": {"path": "/optional/*", "auth": "optional", **_GUARD},
    "health": {"path": "/health", "auth": "none", "upstream": "echo"},
    "browsers": {"path": "/browsers/*", "auth": "required", "forward_cors_preflight": True, **_GUARD},
    "passing": {"path": "/passing/*", "auth": "required", "forward_token": True, **_GUARD},
}
PREFLIGHT = ["Origin: https://app.example", "Access-Control-Request-Method: GET"]


@dataclass(frozen=True)
class Kind:
    """A kind of request: what it asks for, whether with a token, and what is told of its caller; None: refused."""

    path: str
    bearer: str | None = None
    caller: str | None = ""
    method: str = "GET"
    fields: tuple[str, ...] = ()


GOOD, BAD = token(sub="alice", exp=LATER), token(exp=1)
KINDS = {
    "required": Kind("/orders/1", GOOD, "alice"),
    "required without a token": Kind("/orders/1", None, None),
    "required with a refused token": Kind("/orders/1", BAD, None),
    "optional": Kind("/optional/1", GOOD, "alice"),
    "optional without a token": Kind("/optional/1"),
    "optional with a refused token": Kind("/optional/1", BAD, None),
    "none": Kind("/open/1"),
    "none with a token": Kind("/open/1", GOOD),
    "none with a refused token": Kind("/open/1", BAD),
    "exempt": Kind("/health"),
    "preflight": Kind("/browsers/1", method="OPTIONS", fields=tuple(PREFLIGHT)),
    "the token passed on": Kind("/passing/1", GOOD, "alice"),
}


@dataclass(frozen=True)
class Front:
    port: int
    upstream: Upstream
    unusual: str


@pytest.fixture(scope="module", params=product(READERS, ("refuse", "drop")), ids="-".join)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    reader, unusual = request.param
    with Upstream() as upstream:
        changes = {"fields": {"unusual_names": unusual}, "listen": [{"address": "127.0.0.1:0", "http2": True}]}
        whole = document(upstream.url, routes=ROUTES, **changes)
        with gateway_reading_by(reader, tmp_path_factory.mktemp("gate"), whole) as gateway:
            yield Front(gateway.ports[0], upstream, unusual)


def check_told(front: Front, kind: Kind, status: int) -> None:
    """What has reached the upstream of one request, and of its caller."""
    requests = front.upstream.requests[:]
    front.upstream.forget()
    if status != 200:
        assert requests == []
        return
    [sent] = requests
    assert FORGED.encode() not in sent.raw_head
    assert sent.trailers == b""
    names = [name.lower() for name, _ in sent.fields]
    assert not [name for name in names if not name.replace(b"-", b"").isalnum()]
    assert not [name for name in set(names) if name.startswith((b"x-u", b"x-j", b"x-g")) and names.count(name) > 1]
    assert (sent.value("X-User-Id") or "") == kind.caller
    assert (sent.value("X-JWT-Assertion") is not None) == kind.path.startswith("/orders")
    assert sent.values("X-Groups") == []  # the token says nothing of them: absent, not stale
    passed_on = kind.path.startswith("/passing")
    if kind.caller:  # where no token is asked for, none is known for one
        assert (GOOD.encode() in sent.raw_head) is passed_on


def expected(front: Front, kind: Kind, name: str) -> int:
    """The status of a request with a field of this name."""
    if front.unusual == "refuse" and not name.replace("-", "").isalnum() and name.lower() not in identity_names():
        return 400
    return 200 if kind.caller is not None else 401


def identity_names() -> set[str]:
    return {each.lower() for name in NAMES for each in spellings(name)}


def ask(front: Front, kind: Kind, *lines: str) -> int:
    with Client(front.port) as client:
        return client.ask(request(kind.path, *kind.fields, *lines, bearer=kind.bearer, method=kind.method)).status


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_sec_112_no_spelling_of_an_identity_field_reaches_the_upstream(front: Front, kind: Kind, name: str) -> None:
    for at, spelling in enumerate(spellings(name)):
        everywhere = placements(f"{spelling}: {FORGED}").values()
        for lines in everywhere if at % 8 == 0 else list(everywhere)[:2]:
            status = ask(front, kind, *lines)
            assert status == expected(front, kind, spelling), lines
            check_told(front, kind, status)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_sec_112_what_is_no_field_name_is_refused(front: Front, kind: Kind, name: str) -> None:
    for spelling in no_names(name):
        line = f"{spelling}: {FORGED}"
        for lines in ([line], ["X-First: 1", line]):
            status = ask(front, kind, *lines)
            assert status == 400, lines
            check_told(front, kind, status)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_sec_112_no_trailer_reaches_the_upstream(front: Front, kind: Kind) -> None:
    for name in (each for known in NAMES for each in spellings(known)):
        fields = (*kind.fields, "Transfer-Encoding: chunked", f"Trailer: {name}")
        raw = request(kind.path, *fields, bearer=kind.bearer, method=kind.method)
        body = chunked(b"abc")[:-2] + f"{name}: {FORGED}\r\n\r\n".encode()
        with Client(front.port) as client:
            status = client.ask(raw + body).status
        assert status == (200 if kind.caller is not None else 401)
        check_told(front, kind, status)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_sec_112_no_spelling_reaches_the_upstream_over_http_2(front: Front, kind: Kind) -> None:
    told = [tuple(line.lower().split(": ", 1)) for line in kind.fields]
    bearer = [] if kind.bearer is None else [("authorization", f"Bearer {kind.bearer}")]
    fields = [(name.encode(), value.encode()) for name, value in (*told, *bearer)]
    names = [each.lower() for known in NAMES for each in spellings(known)]
    with FrameClient(front.port) as client:
        for at, name in enumerate(names):
            head = asked(kind.path.encode(), *fields, (name.encode(), FORGED.encode()), method=kind.method.encode())
            answer = client.ask(head, stream=2 * at + 1)
            assert answer.status == expected(front, kind, name), name
            check_told(front, kind, answer.status)


def test_the_grid_knows_every_spelling() -> None:
    assert len({each for name in NAMES for each in spellings(name)}) >= 60
