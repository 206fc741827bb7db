# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Whole heads in their plain form, read in one pass over their bytes (RFC 9112 sections 3 to 6).

Nothing is refused here. What is written in any but the most usual way is left to the reader in Python, which knows what
to refuse: None is given for it. So what is read here is a part of what is read there, and read the same.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.string cimport memcmp

ctypedef const unsigned char* Text

cdef enum:
    _TOKEN = 1  # of a field's name (RFC 9110 section 5.6.2)
    _VALUE = 2  # of a field's value: visible, a blank or a tab
    _TARGET = 4  # of a path or a query, with one reading
    _PATH = 8  # of a segment of a path that is canonical as it stands

cdef unsigned char _MAY_BE[256]
cdef unsigned char _LOWER[256]


cdef void _fill():
    cdef int at
    for at in range(256):
        _MAY_BE[at] = _VALUE if at == 9 or 32 <= at < 127 else 0
        _LOWER[at] = at + 32 if 65 <= at <= 90 else at
    for at in b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":
        _MAY_BE[at] |= _TOKEN
    for at in b"-._~!$&'()*+,;=:@%/?0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz":
        _MAY_BE[at] |= _TARGET
        if at not in b";%/?":
            _MAY_BE[at] |= _PATH


_fill()

_METHODS = {name: name.decode() for name in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")}

cdef enum:
    _LENGTH = 1
    _CHUNKED = 2
    _KEEP_ALIVE = 4


cdef class _Read:
    """The fields of a head, and what of them frames the message."""

    cdef list fields
    cdef int said


def plain_request(bytes head not None):
    """The method, the target and the fields; None for any but a plain head, after which the connection goes on.

    `head` is the whole of it, with its last blank line.
    """
    cdef Text text = <Text>PyBytes_AS_STRING(head)
    cdef Text end = text + PyBytes_GET_SIZE(head)
    cdef Text target = text
    cdef Text at = _line(&target, end)
    if at == NULL:
        return None
    cdef _Read read = _fields(at + 11, end)
    method = _METHODS.get(PyBytes_FromStringAndSize(<const char*>text, target - 1 - text))
    if method is None or read is None:
        return None
    return method, PyBytes_FromStringAndSize(<const char*>target, at - target), read.fields


def plain_line(bytes line not None):
    """The method, the target and, as `plain_target` has them, the path and the query; None for any but a plain line.

    `line` is the whole of it, with its end. The path is empty where it may not be canonical.
    """
    cdef Text text = <Text>PyBytes_AS_STRING(line)
    cdef Text end = text + PyBytes_GET_SIZE(line)
    cdef Text target = text
    cdef Text at = _line(&target, end)
    if at == NULL or end - at != 11:
        return None
    method = _METHODS.get(PyBytes_FromStringAndSize(<const char*>text, target - 1 - text))
    if method is None:
        return None
    raw = PyBytes_FromStringAndSize(<const char*>target, at - target)
    path, query = plain_target(raw) or ("", b"")
    return method, raw, path, query


cdef Text _line(Text* at, Text end) noexcept:
    """The end of the target of the request line that begins at `at`, which then is its start; NULL if it is not plain."""
    cdef Text start = at[0]
    cdef Text target = start
    while target < end and target - start < 8 and 65 <= target[0] <= 90:
        target += 1
    if end - target < 2 or target[0] != b" " or target[1] != b"/":
        return NULL
    target += 1
    at[0] = target
    while target < end and _MAY_BE[target[0]] & _TARGET:
        target += 1
    return target if end - target >= 11 and memcmp(target, b" HTTP/1.1\r\n", 11) == 0 else NULL


def plain_target(bytes target not None):
    """The path and the query of a target that is canonical as it stands; None for any other (RFC 3986 section 6.2.2)."""
    cdef Text text = <Text>PyBytes_AS_STRING(target)
    cdef Text end = text + PyBytes_GET_SIZE(target)
    cdef Text at = text
    cdef Text segment
    cdef Text query
    while at < end and at[0] == b"/":
        at += 1
        segment = at
        while at < end and _MAY_BE[at[0]] & _PATH:
            at += 1
        # Only the last may be empty, and none is of dots alone.
        if at == segment:
            break
        if segment[0] == b"." and (at - segment == 1 or (at - segment == 2 and segment[1] == b".")):
            return None
    if at == text or (at < end and at[0] != b"?"):
        return None
    query = at + 1 if at < end else end
    if at < end and query == end:
        return None
    while query < end:
        if not _MAY_BE[query[0]] & _TARGET:
            return None
        query += 1
    path = PyUnicode_DecodeASCII(<const char*>text, at - text, NULL)
    return path, PyBytes_FromStringAndSize(<const char*>at + 1, end - at - 1) if at < end else b""


def plain_answer(bytes head not None):
    """The status and the fields; None for any but a plain head, after which the connection goes on.

    `head` is the whole of it, with its last blank line.
    """
    cdef Text text = <Text>PyBytes_AS_STRING(head)
    cdef Text end = text + PyBytes_GET_SIZE(head)
    cdef Text at = text + 13
    cdef int status
    if end - text < 17 or memcmp(text, b"HTTP/1.1 ", 9) != 0 or text[12] != b" ":
        return None
    if not (50 <= text[9] <= 53 and 48 <= text[10] <= 57 and 48 <= text[11] <= 57):
        return None
    status = (text[9] - 48) * 100 + (text[10] - 48) * 10 + text[11] - 48
    while at < end and _MAY_BE[at[0]] & _VALUE:
        at += 1
    if status == 204 or status == 304 or end - at < 2 or at[0] != b"\r" or at[1] != b"\n":
        return None
    cdef _Read read = _fields(at + 2, end)
    # An answer without either ends with its connection.
    if read is None or not read.said & (_LENGTH | _CHUNKED):
        return None
    return status, read.fields


cdef _Read _fields(Text at, Text end):
    """All fields from `at` to the blank line that ends the head; None for what is not plain, or has another end."""
    cdef _Read read = _Read.__new__(_Read)
    cdef Text name
    cdef Text colon
    cdef Text value
    cdef Text last
    cdef int kind
    read.fields = []
    while end - at > 2:
        name = at
        while at < end and _MAY_BE[at[0]] & _TOKEN:
            at += 1
        colon = at
        if colon == name or at == end or at[0] != b":":
            return None
        at += 1
        while at < end and (at[0] == b" " or at[0] == b"\t"):
            at += 1
        value = at
        while at < end and _MAY_BE[at[0]] & _VALUE:
            at += 1
        last = at
        if end - at < 4 or at[0] != b"\r" or at[1] != b"\n":
            return None
        at += 2
        while last > value and ((last - 1)[0] == b" " or (last - 1)[0] == b"\t"):
            last -= 1
        kind = _kind(name, colon - name, value, last - value)
        # None of them twice, and only one that tells the length.
        if kind < 0 or read.said & kind or (kind & 3 and read.said & 3):
            return None
        read.said |= kind
        read.fields.append((
            PyBytes_FromStringAndSize(<const char*>name, colon - name),
            PyBytes_FromStringAndSize(<const char*>value, last - value),
        ))
    return read if end - at == 2 and at[0] == b"\r" and at[1] == b"\n" else None


cdef int _kind(Text name, Py_ssize_t size, Text value, Py_ssize_t length) noexcept:
    """What this field says of the framing: 0 for nothing, less for what is not said plainly."""
    cdef Py_ssize_t at
    if size == 7 and _is(name, b"upgrade", 7):
        return -1
    if size == 16 and _is(name, b"proxy-connection", 16):
        return -1
    if size == 10 and _is(name, b"connection", 10):
        return _KEEP_ALIVE if length == 10 and _is(value, b"keep-alive", 10) else -1
    if size == 14 and _is(name, b"content-length", 14):
        for at in range(length):
            if not 48 <= value[at] <= 57:
                return -1
        return _LENGTH if 0 < length < 16 else -1
    if size == 17 and _is(name, b"transfer-encoding", 17):
        return _CHUNKED if length == 7 and _is(value, b"chunked", 7) else -1
    return 0


cdef bint _is(Text text, const char* wanted, Py_ssize_t size) noexcept:
    """Whether these are the letters that are wanted, in either case."""
    cdef Py_ssize_t at
    for at in range(size):
        if _LOWER[text[at]] != <unsigned char>wanted[at]:
            return False
    return True
