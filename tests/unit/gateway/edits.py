"""Messages that were good before somebody changed a few bytes of them."""

from __future__ import annotations

import re

from hypothesis import strategies as st

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
