"""What stands between HTTP/2 and HTTP/1.1: fields that become heads, frames that are cut out of bytes, and their price.

The first byte says which: 0 the fields of a request, 1 those of an answer, 2 trailer fields, 3 frames. Fields are names
and values in turn with a byte 255 between them, which is a field's own byte nowhere else.
"""

from __future__ import annotations

from jwtgate.errors import CATALOGUE, Refusal
from jwtgate.gateway.heads.framing import ChunkedBody, Malformed, RequestReader, ResponseReader
from jwtgate.gateway.heads.request_head import RequestHead
from jwtgate.gateway.http2.allowance import MOST, Allowance, cost_of
from jwtgate.gateway.http2.fields import Head, answer_head, request_head, trailer_lines
from jwtgate.gateway.http2.frames import (
    MOST_FRAME_BYTES,
    FrameCutter,
    FrameTooLong,
    brings_data,
    ends_stream,
    goaway,
    length_of,
    read_goaway,
)

from .heads import HOSTS, KINDS, LIMIT_BYTES, PLAN, READERS

Fields = list[tuple[bytes, bytes]]
BETWEEN = b"\xff"


def http2(data: bytes) -> None:
    """Fields or frames, as the first byte says."""
    kind, text = data[:1], data[1:]
    if kind == b"\x03":
        _check_frames(text)
        return
    parts = text.split(BETWEEN)
    fields = list(zip(parts[::2], parts[1::2], strict=False))
    if kind == b"\x02":
        _check_trailers(fields)
        return
    for ended in (False, True):
        _check_answer(fields, ended) if kind == b"\x01" else _check_request(fields, ended)


def _check_request(fields: Fields, ended: bool) -> None:
    """What is written is one whole head, which says what the fields said and nothing else."""
    try:
        head, said = request_head(fields, ended=ended), dict(fields)
    except Malformed:
        return
    authority = said.get(b":authority")
    method, target = said[b":method"], authority if said[b":method"] == b"CONNECT" else said[b":path"]
    host = [(b"host", authority)] if authority is not None else []
    kept = [field for field in _ordinary(fields) if field[0] != b"host" or authority is None]
    for plain in READERS:
        reader = RequestReader(plain)
        try:
            assert reader.read(head.text, 0, limit_bytes=2 * LIMIT_BYTES) == len(head.text)
        except Malformed:  # the reader knows more of methods and targets, and has nothing against the rest
            rest = b"GET / HTTP/1.1" + head.text[head.text.index(b"\r\n") :]
            assert RequestReader(plain).read(rest, 0, limit_bytes=2 * LIMIT_BYTES) == len(rest)
            continue
        assert (reader.method.encode(), reader.target, reader.http_11) == (method, target, True)
        assert reader.fields == [*host, *kept, *_framing(head)]
        assert reader.keep_alive
        read = RequestHead(reader.method, reader.target, fields=reader.fields, http_11=True)
        try:
            read.read(KINDS, HOSTS, paths=PLAN.paths)
        except Refusal as refusal:
            assert refusal.reason in CATALOGUE
            continue
        assert read.chunked == (head.length is None)
        assert read.has_body == (head.length != 0)
        assert read.has_body is False or not ended


def _check_answer(fields: Fields, ended: bool) -> None:
    for bodiless in (False, True):
        try:
            head = answer_head(fields, ended=ended, bodiless=bodiless)
        except Malformed:
            continue
        for plain in READERS:
            reader = ResponseReader(plain)
            assert reader.read(head.text, 0, limit_bytes=2 * LIMIT_BYTES) == len(head.text)
            assert b"%d" % reader.status == dict(fields)[b":status"]
            added = [field for field in reader.fields if field not in fields]
            kept = [field for field in reader.fields if field in fields]
            assert sorted(kept) == sorted(_ordinary(fields))
            assert added in ([], [(b"transfer-encoding", b"chunked")], [(b"content-length", b"0")])
            assert (head.length is None) == (added == _framing(Head(b"", None)))


def _check_trailers(fields: Fields) -> None:
    """They end a body, and are read as themselves."""
    try:
        lines, body = trailer_lines(fields), ChunkedBody()
    except Malformed:
        return
    text = b"0\r\n%b\r\n" % lines
    assert body.take(text, 0) == (b"", len(text))
    assert body.done
    assert body.trailers == _ordinary(fields)


def _ordinary(fields: Fields) -> Fields:
    """The fields that become lines: `te` is about the connection, and the crumbs of a cookie are one."""
    kept = [field for field in fields if field[0][:1] != b":" and field[0] not in (b"te", b"cookie")]
    crumbs = [value for name, value in fields if name == b"cookie"]
    return [*kept, (b"cookie", b"; ".join(crumbs))] if crumbs else kept


def _framing(head: Head) -> Fields:
    return [(b"transfer-encoding", b"chunked")] if head.length is None else []


def _check_frames(text: bytes) -> None:
    """However bytes come, they are cut into the same frames; none is lost, and what they cost is spent once."""
    place = text[0] if text else 0
    whole = _cut((text,))
    assert whole == _cut((text[:place], text[place:])) == _cut(tuple(text[at : at + 1] for at in range(len(text))))
    frames, _ = whole
    assert text.startswith(b"".join(frames))
    costs = [cost_of(frame) for frame in frames]
    assert all(cost >= 0 for cost in costs)
    for frame, cost in zip(frames, costs, strict=True):
        assert length_of(frame) == int.from_bytes(frame[:3]) <= MOST_FRAME_BYTES
        assert cost or frame[3] not in (0,) or brings_data(frame) or ends_stream(frame)
        said = read_goaway(frame)
        assert said is None or read_goaway(goaway(*said)) == said
    allowance = Allowance(0.0)
    left = [allowance.spend(cost, 0.0) for cost in costs]
    assert left == [sum(costs[: at + 1]) <= MOST for at in range(len(costs))]


def _cut(pieces: tuple[bytes, ...]) -> tuple[list[bytes], bool]:
    """The frames that are cut, and whether one was too long."""
    cutter, found = FrameCutter(), []
    try:
        for piece in pieces:
            for frame in cutter.cut(piece):
                found.append(frame)  # noqa: PERF402 # what was cut before a frame that is too long counts
    except FrameTooLong:
        return found, True
    return found, False
