"""The corpus once more, each first head of it as the fields of a stream: what one version refuses, so does the other.

A field list has no lines to break, so what is refused for its line ends, blanks and folds stands in names and values
here, where it is refused as well. Whatever follows the head is the body of the stream, and never a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame
from tests.conformance.head_readers import READERS, gateway_reading_by
from tests.conformance.plain_refusals import check_log
from tests.conformance.smuggling.case import HOST_NAME, Case
from tests.conformance.smuggling.corpus import CASES
from tests.conformance.smuggling.front import Front
from tests.integration.http2.frame_client import Fields, FrameClient
from tests.integration.rig import Message, Upstream, document

_FRAME_BYTES = 16_384
_OURS = {b"host", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-request-id"}
_OURS |= {b"transfer-encoding", b"content-length"}
_REFUSED_BY_NAME = {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
_STRICTER = ("length-blanks-around", "value-blank", "value-blanks-around", "te-is-not-transfer-encoding")
"""What HTTP/1.1 lets pass, and RFC 9113 section 8.2 does not."""
_ABSOLUTE = "target-absolute"
"""Targets that name a host, which stands in `:authority` here."""
_MOST_FIELDS = 100
_MARK = "x-case"
"""A field of each stream that may have one more: the upstream may read one that was broken off during the next case."""
PROBE: Fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", HOST_NAME), (b":path", b"/open/probe")]


@dataclass(frozen=True, slots=True)
class Stream:
    """A case as a stream. `as_it_was`: both versions say the same, so that what becomes of one tells of the other."""

    fields: Fields
    body: bytes
    as_it_was: bool

    @property
    def start(self) -> bytes:
        said = dict(self.fields)
        return b"%b %b HTTP/1.1" % (said[b":method"], said[b":path"])

    @property
    def host(self) -> bytes | None:
        said = dict(self.fields)
        return said.get(b":authority", said.get(b"host"))

    @property
    def ordinary(self) -> Fields:
        return [(name, value) for name, value in self.fields if name[:1] != b":" and name not in _OURS]


def as_stream(case: Case) -> Stream:
    """The first head of a case as fields, whatever stands in it, and all behind it as the body."""
    head, ends, body = case.raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, _, rest = first.partition(b" ")
    target, is_plain, version = rest.rpartition(b" HTTP/1.1")
    ordinary = [(name.lower(), value.removeprefix(b" ")) for name, _, value in (line.partition(b":") for line in lines)]
    hosts = [value for name, value in ordinary if name == b"host"]
    pseudo = [(b":method", method), (b":scheme", b"http"), (b":path", target if is_plain else rest)]
    if len(hosts) == 1:
        pseudo.append((b":authority", hosts[0]))
        ordinary = [field for field in ordinary if field[0] != b"host"]
    said = bool(ends and is_plain and not version) and all(b":" in line for line in lines)
    if len(lines) < _MOST_FIELDS:
        ordinary.append((_MARK.encode(), case.id.encode()))
    return Stream([*pseudo, *ordinary], body, said and not {name for name, _ in ordinary} & _REFUSED_BY_NAME)


def frames_of(client: FrameClient, stream: Stream) -> list[Frame]:
    block = client.encoder.encode(stream.fields, huffman=False)
    pieces = [block[at : at + _FRAME_BYTES] for at in range(0, len(block), _FRAME_BYTES)]
    frames: list[Frame] = [HeadersFrame(1, pieces[0]), *(ContinuationFrame(1, piece) for piece in pieces[1:])]
    frames[-1].flags.add("END_HEADERS")
    if stream.body:
        frames.append(DataFrame(1, stream.body, flags=("END_STREAM",)))
    else:
        frames[0].flags.add("END_STREAM")
    return frames


@pytest.fixture(scope="module", params=READERS)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with Upstream() as upstream:
        folder = tmp_path_factory.mktemp(request.param)
        whole = document(upstream.url, listen=[{"address": "127.0.0.1:0", "http2": True}])
        with gateway_reading_by(request.param, folder, whole) as gateway:
            yield Front(gateway.ports[0], upstream)
            assert gateway.events("internal") == []
            check_log((folder / "access-log").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_sec_96_nothing_reaches_the_upstream_that_http_1_would_have_refused(front: Front, case: Case) -> None:
    stream = as_stream(case)
    front.upstream.forget()
    with FrameClient(front.port) as client:
        client.put(*frames_of(client, stream))
        answer = client.answer()
        client.put(client.head(3, PROBE))
        probed = client.answer(3)
        assert client.goaways or probed.status == 200
    whole = [each for each in front.upstream.requests if b"/probe " not in each.start]
    got = [each for each in whole if each.values(_MARK) in ([], [case.id])]
    status = int(answer.heads[-1][b":status"]) if answer.heads else 0
    if stream.as_it_was and case.answers == (200,) and case.open:
        assert status == (400 if case.id in _STRICTER or case.id.startswith(_ABSOLUTE) else 200)
    elif status == 200:
        assert case.answers[0] == 200 or not stream.as_it_was
    (sent,) = got if status == 200 else got or [None]
    if sent is not None and sent.complete and sent.body == stream.body:
        check_sent(stream, sent, case)
    else:
        assert sent is None or (status == 400 and not (sent.complete and sent.body))


def check_sent(stream: Stream, sent: Message, case: Case) -> None:
    """What has reached the upstream says what the stream did, line by line, and nothing else but what is ours."""
    assert sent.start == stream.start or sent.start in {
        b"%b %b HTTP/1.1" % (each.method, each.target) for each in case.sent
    }
    assert {name.lower(): value for name, value in sent.fields}.get(b"x-forwarded-host") == stream.host
    told = [(name.lower(), value) for name, value in sent.fields if name.lower() not in _OURS]
    assert set(told) <= set(stream.ordinary)
    assert {int(value) for value in sent.values("content-length")} <= {len(stream.body)}
