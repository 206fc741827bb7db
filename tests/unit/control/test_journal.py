"""Events are one line of JSON each, whatever is put into them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from jwtgate.control.journal import MOST_ITEMS, MOST_TEXT, JsonLines, event


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    levels = [(logger, logger.level) for logger in (root, logging.getLogger("jwtgate.process"))]
    root.addHandler(handler)
    logging.getLogger("jwtgate.process").setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)


def written(lines: io.StringIO) -> dict[str, object]:
    (line,) = lines.getvalue().splitlines()
    parsed: dict[str, object] = json.loads(line)
    return parsed


def test_an_event_has_its_name_level_time_and_fields(lines: io.StringIO) -> None:
    event("reloaded", generation=3, problems=("a", "b"), ready=True, missing=None)
    line = written(lines)
    assert str(line.pop("time")).endswith("+00:00")
    assert line.pop("pid")
    assert line == {
        "level": "info", "event": "reloaded", "generation": 3, "problems": ["a", "b"], "ready": True, "missing": None
    }  # fmt: skip


def test_sec_144_nothing_in_a_value_can_end_a_line_or_move_a_cursor(lines: io.StringIO) -> None:
    event("x", value='a\r\n{"event":"forged"}\x1b[2J\u2028', **{"na\nme": b"\n"})
    assert written(lines)["value"] == 'a\r\n{"event":"forged"}\x1b[2J\u2028'
    assert lines.getvalue().isascii()
    assert "\x1b" not in lines.getvalue()


def test_long_values_are_capped(lines: io.StringIO) -> None:
    event("x", text="a" * 10_000, items=["b"] * 10_000, table={str(n): n for n in range(10_000)})
    line = written(lines)
    assert len(str(line["text"])) == MOST_TEXT
    assert len(line["items"]) == len(line["table"]) == MOST_ITEMS  # type: ignore[arg-type]


def test_sec_35_of_an_exception_only_its_type_and_its_way_are_shown(lines: io.StringIO) -> None:
    try:
        raise ValueError("the secret is hunter2")
    except ValueError as error:
        event("broken", level=logging.ERROR, error=error)
    line = written(lines)
    assert line["error"] == "ValueError"
    assert line["places"]
    assert "hunter2" not in lines.getvalue()


def test_words_of_our_own_are_shown_and_those_of_libraries_are_not(lines: io.StringIO) -> None:
    logging.getLogger("jwtgate.state.keys.key_sets").warning("issuer %s: cannot be fetched", "main")
    assert written(lines)["text"] == "issuer main: cannot be fetched"
    lines.truncate(0)
    lines.seek(0)
    logging.getLogger("aiohttp.client").warning("GET /?token=hunter2")
    line = written(lines)
    assert line["logger"] == "aiohttp.client"
    assert "hunter2" not in lines.getvalue()
