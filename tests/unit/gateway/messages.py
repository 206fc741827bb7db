"""Messages as bytes: read back, cut into pieces, and changed in a few places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import strategies as st


def head_of(message: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The first line of a message, and its fields in lower case, those that repeat joined by a comma."""
    first, *lines = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b": ")
        key = name.lower()
        fields[key] = fields[key] + b", " + value if key in fields else value
    return first, fields


def status_of(message: bytes) -> int:
    return int(message.split(b" ", 2)[1])


def pieces_of(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The data, cut at these places."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places) if end > start]


def whole_request(data: bytes) -> tuple[bytes, dict[bytes, bytes], bytes, bytes] | None:
    """The first line, fields and body of the request in these bytes, and what is behind it; None while it is not whole.

    Reads only what a gateway may write: one line end, one framing, chunks without anything beside them.
    """
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, fields = head_of(head)
    assert re.fullmatch(rb"[A-Z]+ /[!-~]* HTTP/1\.1(\r\n[A-Za-z0-9-]+: [\t -~\x80-\xff]*)+", head)
    assert b"," not in fields[b"host"]
    assert not {b"content-length", b"transfer-encoding"} <= fields.keys()
    if b"transfer-encoding" not in fields:
        length = int(fields.get(b"content-length", b"0"))
        return (first, fields, rest[:length], rest[length:]) if len(rest) >= length else None
    body = b""
    while chunk := re.match(rb"([0-9a-f]+)\r\n", rest):
        size = int(chunk[1], 16)
        if len(rest) < chunk.end() + size + 2:
            return None
        body, rest = body + rest[chunk.end() : chunk.end() + size], rest[chunk.end() + size + 2 :]
        if not size:
            return first, fields, body, rest
    assert rest == b""
    return None


STATUSES = {200, 400, 401, 404, 413, 431, 501}
"""What any bytes may be answered with, apart from what an upstream says."""
Edits = list[tuple[int, int, bytes]]
"""Each at a place, taking so many bytes away, and putting these there."""

EDITS: st.SearchStrategy[Edits] = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.integers(0, 3),
        st.sampled_from([b"", b"0", b"2", b"x", b"\r\n", b"\n", b" ", b":", b"\x00", b"\xe4", b"/", b"?", b"\r\n\r\n"]),
    ),
    max_size=3,
)
CUTS = st.lists(st.integers(0, 600), max_size=4)


def edited(data: bytes, edits: Edits) -> bytes:
    """The data after these edits, one after the other."""
    for place, length, text in edits:
        at = place % (len(data) + 1)
        data = data[:at] + text + data[at + length :]
    return data


def without_dates(data: bytes) -> bytes:
    """Messages without their `Date`."""
    return re.sub(rb"Date: [^\r\n]*\r\n", b"", data)
