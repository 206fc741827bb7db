"""Heads of requests and answers, and chunked bodies.

Whole or in two pieces, by the reader in Python or by the compiled one, a text is read the same way or refused; what is
sent on is one whole head of the strictest form. The first byte says where the text is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from httptools import HttpParserError, HttpRequestParser

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.errors import CATALOGUE, Refusal
from jwtgate.gateway.heads.answer_head import AnswerHead
from jwtgate.gateway.heads.fields import RequestFieldKinds, ResponseFieldKinds
from jwtgate.gateway.heads.framing import ChunkedBody, HeadReader, Malformed, RequestReader, ResponseReader
from jwtgate.gateway.heads.reading import PlainHeads, plain_heads
from jwtgate.gateway.heads.request_head import RequestHead
from jwtgate.gateway.worker import HostNames

from .places import HERE

LIMIT_BYTES = 4_096
MOST_HEADS = 4
READERS = [plain_heads({"JWTGATE_HEADS": "python"})]
if (built := plain_heads({})) != READERS[0]:
    READERS.append(built)
DOCUMENT = b"""
listen: 127.0.0.1:0
issuers:
  one: {issuer: "https://issuer.example", keys: {url: "https://issuer.example/keys"}, audience: a, algorithms: [ES256]}
upstreams:
  one: {targets: ["http://127.0.0.1:1"]}
routes:
  one: {path: "/*", auth: required, issuers: [one], upstream: one}
"""
PLAN = compile_document(load_document(DOCUMENT, name="fuzz.yaml", folder=HERE, resolve=lambda text: text))
KINDS, ANSWER_KINDS, HOSTS = RequestFieldKinds(PLAN, trusted=False), ResponseFieldKinds(PLAN), HostNames()
REQUEST_BEFORE = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

Reader = TypeVar("Reader", bound=HeadReader)
Heads = list[tuple[tuple[object, ...], list[tuple[bytes, bytes]], bool, bool]]


def requests(data: bytes) -> None:
    """Heads of requests, one behind the other."""
    cut, text = data[:1], data[1:]
    found, last = _agreed(RequestReader, lambda reader: (reader.method, reader.target), text, cut)
    for (method, target), fields, http_11, _ in found:
        head = RequestHead(method, target, fields=fields, http_11=http_11)
        try:
            head.read(KINDS, HOSTS, paths=PLAN.paths)
        except Refusal as refusal:
            assert refusal.reason in CATALOGUE
            continue
        _check_sent(head)
    assert last is None or issubclass(last, Malformed)


def _check_sent(head: RequestHead) -> None:
    """What the upstream gets is one head, which says the same and is framed the same."""
    sent = head.written_for(PLAN.routes[0], host_line=b"Host: upstream\r\n", ours=b"X-Ours: 1\r\n", upgrading=False)
    for plain in READERS:
        reader = RequestReader(plain)
        assert reader.read(sent, 0, limit_bytes=2 * LIMIT_BYTES) == len(sent)
        again = RequestHead(reader.method, reader.target, fields=reader.fields, http_11=reader.http_11)
        again.read(KINDS, HOSTS, paths=PLAN.paths)
        assert (again.method, again.path, again.query) == (head.method, head.path, head.query)
        assert (again.length, again.chunked) == (head.length, head.chunked)
        assert again.host == "upstream"
        assert again.upgrade is None
        assert not again.nominated
        assert [value for name, value in reader.fields if name.lower() == b"x-ours"][-1:] == [b"1"]


def answers(data: bytes) -> None:
    """Heads of answers, one behind the other."""
    found, _ = _agreed(ResponseReader, lambda reader: (reader.status,), data[1:], data[:1])
    for (status,), fields, _, _ in found:
        try:
            head = AnswerHead(status, fields, ANSWER_KINDS)
        except Malformed:
            continue
        if status == 101:
            continue  # what follows it is no HTTP
        sent = head.written(b"X-Ours: 1\r\n", private=True)
        reader = ResponseReader(READERS[0])
        assert reader.read(sent + b"\r\n" * (not sent.endswith(b"\r\n\r\n")), 0, limit_bytes=2 * LIMIT_BYTES)
        assert reader.status == status
        assert not head.chunked or head.length is None


def _agreed(
    kind: Callable[[PlainHeads], Reader], start: Callable[[Reader], tuple[object, ...]], text: bytes, cut: bytes
) -> tuple[Heads, type[Exception] | None]:
    """The heads every reader finds in this text, however it comes, and what it refuses the rest with."""
    place = cut[0] if cut else 0
    whole = [_read(kind(plain), start, (text,)) for plain in READERS]
    apart = [_read(kind(plain), start, (text[:place], text[place:])) for plain in READERS]
    assert all(each == whole[0] for each in whole), whole
    assert all(each == apart[0] for each in apart), apart
    # What is no method may be told from an unknown one only once more of it is there.
    assert whole[0][0] == apart[0][0], (whole, apart)
    assert (whole[0][1] is None) == (apart[0][1] is None), (whole, apart)
    return whole[0]


def _read(
    reader: Reader, start: Callable[[Reader], tuple[object, ...]], pieces: tuple[bytes, ...]
) -> tuple[Heads, type[Exception] | None]:
    found, left = [], b""
    for piece in pieces:
        left, at = (left + piece) if not reader.begun else piece, 0
        while at < len(left) and len(found) < MOST_HEADS:
            try:
                end = reader.read(left, at, limit_bytes=LIMIT_BYTES)
            except Malformed as error:
                return found, type(error)
            if not end:
                at = len(left)
                break
            assert end > at or reader.begun is False
            at = end
            found.append((start(reader), list(reader.fields), reader.http_11, reader.keep_alive))
        left = left[at:]
    return found, None


def chunks(data: bytes) -> None:
    """A chunked body: the same in one piece, in two and byte by byte, and the same as another reader's."""
    place, text = (data[0] if data else 0), data[1:]
    whole = _body((text,))
    assert whole == _body((text[:place], text[place:]))
    assert whole == _body(tuple(text[at : at + 1] for at in range(len(text))))
    if whole is not None and whole[1]:
        theirs = _body_by_httptools(text)
        # The other reader takes fewer characters in extensions and trailers, all of which are dropped here.
        assert theirs == whole[0] or (theirs is None and (b";" in text or whole[2]))
    once_more = _body((b"%x\r\n%b\r\n0\r\n\r\n" % (len(text), text),)) if text else None
    assert once_more is None or once_more == (text, True, [], b"")


def _body(pieces: tuple[bytes, ...]) -> tuple[bytes, bool, list[tuple[bytes, bytes]], bytes] | None:
    """The body, whether it ended, its trailers, and what follows; None: refused."""
    reader, found, rest = ChunkedBody(), b"", b""
    try:
        for piece in pieces:
            got, at = reader.take(piece, 0)
            found, rest = found + got, rest + piece[at:]
    except Malformed:
        return None
    return found, reader.done, reader.trailers, rest


class _Heard:
    def __init__(self) -> None:
        self.body, self.complete = b"", False

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self.body += data

    def on_message_complete(self) -> None:
        self.complete = True


def _body_by_httptools(text: bytes) -> bytes | None:
    heard = _Heard()
    try:
        HttpRequestParser(heard).feed_data(REQUEST_BEFORE + text)
    except HttpParserError:
        if not heard.complete:
            return None
    return heard.body if heard.complete else None
