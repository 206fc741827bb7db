"""Where the head of a message ends, and the body behind it (RFC 9112 sections 2, 6 and 7).

The end of a head is found here, its inside is read by llhttp, or by `_compiled` where it is plain, and a chunked body
is taken out of its framing here. So the place where one message ends and the next begins is found once, by one reader,
on both sides of the gateway.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from enum import Enum, auto

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
    HttpResponseParser,
)

from jwtgate.gateway.heads.reading import PLAIN_HEADS, PlainHeads

_END = b"\r\n\r\n"
_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?: |\Z)").match
EXTRA_LIMIT_BYTES = 4 * 1024
"""What the chunk extensions and trailers of one body may add up to (SEC-92)."""


class Framing(Enum):
    """How the end of a body is told: there is none, by its length, by chunks, or by the end of the connection."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


class Malformed(Exception):
    """A message that cannot be read in exactly one way. The text is for the log."""


class HeadTooLarge(Malformed):
    """A head that is larger than is allowed."""


class MethodUnknown(Malformed):
    """A method the parser does not know."""


class HeadReader(ABC):
    """Reads one head after the other. What it read last stands in its attributes until the next is begun."""

    http_11 = True

    def __init__(self, plain: PlainHeads = PLAIN_HEADS) -> None:
        self._plain = plain
        self.fields: list[tuple[bytes, bytes]] = []
        self.keep_alive = False
        self._parser: HttpRequestParser | HttpResponseParser = self._new_parser()
        self._spent = False
        self._held = b""
        self._complete = False
        self._last = False
        self.begun = False
        """Whether a head has begun and not ended."""

    def read(self, data: bytes, at: int, *, limit_bytes: int) -> int:
        """The position in `data` behind the head that begins or goes on at `at`; 0 while its end is not there.

        Raises `Malformed`. What comes of a head is looked at as it comes: nobody waits for the end of nonsense.
        """
        known = len(self._held)
        if known:
            at, data, start = at - known, self._held + data[at:], 0
        else:
            at, start = 0, at
        end = data.find(_END, max(start, known - 3)) + 4
        head = data[start:end] if end >= 4 else data[start:]
        if len(head) > limit_bytes:
            raise HeadTooLarge(f"more than {limit_bytes} bytes")
        if not known:
            # Behind the last head of a connection there is none; the parser knows whether this was it.
            if end >= 4 and not self._last and self._read_plain(head):
                self.http_11 = self.keep_alive = True
                return at + end
            self._begin()
        self._feed(head, known)
        if end < 4:
            self._held, self.begun = head, True
            return 0
        self._held, self.begun = b"", False
        if not self._complete:
            raise Malformed("the head ends too early")
        self._read_start_line(head)
        return at + end

    def _begin(self) -> None:
        self.fields = []
        self._complete = False
        if self._spent:
            # The parser would wait for a body, which it is not given.
            self._parser = self._new_parser()
        self._spent = True

    def _feed(self, head: bytes, known: int) -> None:
        try:
            self._parser.feed_data(head[known:])
        except HttpParserUpgrade:
            self._spent = True
        except HttpParserInvalidMethodError as error:
            raise (MethodUnknown if _METHOD(head) else Malformed)(str(error)) from error
        except HttpParserError as error:
            raise Malformed(str(error)) from error

    @abstractmethod
    def _read_plain(self, head: bytes) -> bool:
        """Whether this is a whole head in its plain form, which has been read then."""

    @abstractmethod
    def _new_parser(self) -> HttpRequestParser | HttpResponseParser:
        """A parser that knows of nothing yet."""

    @abstractmethod
    def _read_start_line(self, head: bytes) -> None:
        """Take what the first line of this head says. The parser knows more versions and blanks than we do."""

    # What the parser does.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._complete = True
        self.keep_alive = self._parser.should_keep_alive()
        self._last = not self.keep_alive

    def on_message_complete(self) -> None:
        self._spent = False


class RequestReader(HeadReader):
    """Reads the heads of requests."""

    method = ""
    target = b""
    _parser: HttpRequestParser

    def _new_parser(self) -> HttpRequestParser:
        return HttpRequestParser(self)

    def _read_plain(self, head: bytes) -> bool:
        read = self._plain.request(head)
        if read is None:
            return False
        self.method, self.target, self.fields = read
        return True

    def on_message_begin(self) -> None:
        self.target = b""

    def on_url(self, piece: bytes) -> None:
        self.target += piece

    def _read_start_line(self, head: bytes) -> None:
        method = self._parser.get_method()
        line = b"%b %b HTTP/1." % (method, self.target)
        version = head[len(line) : len(line) + 3]
        if not head.startswith(line) or version not in (b"1\r\n", b"0\r\n"):
            raise Malformed("the request line")
        self.http_11 = version == b"1\r\n"
        self.method = method.decode("ascii")


_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n").match


class ResponseReader(HeadReader):
    """Reads the heads of responses."""

    status = 0
    _parser: HttpResponseParser

    def _new_parser(self) -> HttpResponseParser:
        return HttpResponseParser(self)

    def _read_plain(self, head: bytes) -> bool:
        read = self._plain.answer(head)
        if read is None:
            return False
        self.status, self.fields = read
        return True

    def _read_start_line(self, head: bytes) -> None:
        if not _STATUS_LINE(head):
            raise Malformed("the status line")
        self.http_11 = head.startswith(b"HTTP/1.1")
        self.status = self._parser.get_status_code()


_EXTENSIONS = rb"(?:;[\t\x20-\x7e\x80-\xff]*)?"
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(" + _EXTENSIONS + rb")\r\n").fullmatch
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n").fullmatch
_AT_SIZE, _AT_END, _AT_TRAILER = range(3)
# What may stand there of a line that has not ended, so that nonsense is not waited on.
_SO_FAR = (
    re.compile(rb"[0-9A-Fa-f]{0,16}|[0-9A-Fa-f]{1,16}" + _EXTENSIONS + rb"\r?").fullmatch,
    re.compile(rb"\r?").fullmatch,
    re.compile(rb"[\t\x20-\x7e\x80-\xff]*\r?").fullmatch,
)


class ChunkedBody:
    """Takes a chunked body out of its framing. Extensions are read, checked and dropped.

    `trailers`: the fields behind the body, whose names are in lower case. They are no part of the head (SEC-92).
    """

    __slots__ = ("_extra", "_left", "_line", "_step", "done", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.trailers: list[tuple[bytes, bytes]] = []
        self._line = b""
        self._left = 0
        self._extra = 0
        self._step = _AT_SIZE

    def take(self, data: bytes, at: int) -> tuple[bytes, int]:
        """What of the body stands in `data` from `at` on, and the position behind it. Raises `Malformed`."""
        pieces = []
        while at < len(data) and not self.done:
            if self._left:
                pieces.append(data[at : at + self._left])
                at += len(pieces[-1])
                self._left -= len(pieces[-1])
            else:
                at = self._take_line(data, at)
        return b"".join(pieces), at

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1
        line = self._line + data[at : end or len(data)]
        if len(line) > EXTRA_LIMIT_BYTES:
            raise Malformed("a line of the chunked framing is too long")
        if end:
            self._line = b""
            self._read_line(line)
            return end
        if not _SO_FAR[self._step](line):
            raise Malformed("not the framing of a chunk")
        self._line = line
        return len(data)

    def _read_line(self, line: bytes) -> None:
        if self._step == _AT_SIZE:
            found = _SIZE(line)
            if found is None:
                raise Malformed("no chunk size")
            self._add_extra(len(found[2]))
            self._left = int(found[1], 16)
            self._step = _AT_END if self._left else _AT_TRAILER
        elif self._step == _AT_END:
            if line != b"\r\n":
                raise Malformed("a chunk is longer than its size")
            self._step = _AT_SIZE
        elif line == b"\r\n":
            self.done = True
        elif _TRAILER(line):
            self._add_extra(len(line))
            name, _, value = line.partition(b":")
            self.trailers.append((name.lower(), value.strip(b"\t\r\n ")))
        else:
            raise Malformed("no trailer")

    def _add_extra(self, size: int) -> None:
        self._extra += size
        if self._extra > EXTRA_LIMIT_BYTES:
            raise Malformed("too much beside the body")
