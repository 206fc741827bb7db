"""Which reader of heads is chosen. That both read the same is shown in tests/conformance/test_heads_agree.py."""

from __future__ import annotations

import pytest

from jwtgate.errors import ConfigError
from jwtgate.gateway.heads.reading import COMPILED, IN_PYTHON, PYTHON, plain_heads

HEAD = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_the_reader_in_python_can_be_asked_for_and_takes_no_short_cut() -> None:
    assert plain_heads({"JWTGATE_HEADS": PYTHON}) is IN_PYTHON
    assert IN_PYTHON.request(HEAD) is None
    assert IN_PYTHON.answer(ANSWER) is None
    assert IN_PYTHON.target(b"/a") is None
    assert IN_PYTHON.line(b"GET /a?b HTTP/1.1\r\n") == ("GET", b"/a?b", "", b"")
    assert IN_PYTHON.line(b"GET /a?b HTTP/1.0\r\n") is None


def test_the_compiled_reader_is_taken_where_it_is_built_and_refused_where_it_is_not() -> None:
    best = plain_heads({})
    if best is IN_PYTHON:
        with pytest.raises(ConfigError, match="without the compiled reader"):
            plain_heads({"JWTGATE_HEADS": COMPILED})
        return
    assert plain_heads({"JWTGATE_HEADS": COMPILED}) == best
    assert best.name == COMPILED
    assert best.request(HEAD) == ("GET", b"/a", [(b"Host", b"a")])
    assert best.answer(ANSWER) == (200, [(b"Content-Length", b"0")])
    assert best.target(b"/a?b") == ("/a", b"b")
    assert best.line(b"GET /a?b HTTP/1.1\r\n") == ("GET", b"/a?b", "/a", b"b")


def test_another_word_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="not 'fast'"):
        plain_heads({"JWTGATE_HEADS": "fast"})
