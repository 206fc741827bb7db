"""HTTP/1.1 answers as a strict client reads them: whole and valid, or not at all."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2}) [^\r\n]*")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)")
_BODILESS = (204, 304)


class AnswerInvalid(Exception):
    """What came back is no valid HTTP answer, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `closes`: the connection ends with it."""

    status: int
    fields: dict[bytes, bytes]
    body: bytes
    closes: bool


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The next final answer to a GET. `AnswerInvalid` for anything else, `EOFError` where nothing came at all."""
    try:
        while (answer := await _read(reader)).status < 200:
            pass
    except asyncio.IncompleteReadError as error:
        raise AnswerInvalid("the answer is not whole") from error
    except asyncio.LimitOverrunError as error:
        raise AnswerInvalid("a line is too long") from error
    return answer


async def _read(reader: asyncio.StreamReader) -> Answer:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        raise EOFError from None
    line, *lines = head[:-4].split(b"\r\n")
    status_line, matches = _STATUS_LINE.fullmatch(line), [_FIELD.fullmatch(each) for each in lines]
    if status_line is None or None in matches:
        raise AnswerInvalid(f"the head is not valid: {head[:200]!r}")
    fields = {match[1].lower(): match[2].rstrip(b" \t") for match in matches if match is not None}
    status = int(status_line[2])
    body, ends = b"", False
    if status >= 200 and status not in _BODILESS:
        body, ends = await _body(reader, fields)
    closes = ends or status_line[1] == b"0" or fields.get(b"connection", b"").lower() == b"close"
    return Answer(status, fields, body, closes)


async def _body(reader: asyncio.StreamReader, fields: dict[bytes, bytes]) -> tuple[bytes, bool]:
    """The body, and whether it ended with the connection."""
    coding, length = fields.get(b"transfer-encoding"), fields.get(b"content-length")
    if coding is not None:
        if coding.lower() != b"chunked" or length is not None:
            raise AnswerInvalid("the framing is not clear")
        return await _chunks(reader), False
    if length is None:
        return await reader.read(-1), True
    if not length.isdigit():
        raise AnswerInvalid("the length is no number")
    return await reader.readexactly(int(length)), False


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = (await reader.readuntil(b"\r\n"))[:-2]
        if not line or set(line) - set(b"0123456789abcdefABCDEF"):
            raise AnswerInvalid("the length of a chunk is no number")
        size = int(line, 16)
        if size == 0:
            break
        chunk = await reader.readexactly(size + 2)
        if chunk[-2:] != b"\r\n":
            raise AnswerInvalid("a chunk does not end where it says")
        body += chunk[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return body
