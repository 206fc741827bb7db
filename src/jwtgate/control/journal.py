"""Process events as JSON lines: one for each change of state, never one for each request.

Every value is written by the JSON encoder, so nothing can break a line, and strings are capped. Of an exception
only its type and the places it passed are shown: its text may quote what somebody sent.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

MOST_TEXT = 2_000
MOST_ITEMS = 100

_LOGGER = logging.getLogger("jwtgate.process")


def event(name: str, /, *, level: int = logging.INFO, error: BaseException | None = None, **fields: object) -> None:
    """Write one event. `error` adds the type of an exception and where it came from."""
    trouble = None if error is None else (type(error), error, error.__traceback__)
    _LOGGER.log(level, name, extra={"fields": fields}, exc_info=trouble)


def install(stream: TextIO) -> None:
    """Send the events of this process, and what libraries log from warnings up, to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a closed stderr must not turn each event into another one
    _LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"time": moment, "level": record.levelname.lower(), "pid": record.process}
        if record.name == _LOGGER.name:
            line["event"] = record.msg
        elif record.name.startswith("jwtgate."):
            line |= {"event": "message", "text": _shown(record.getMessage())}
        else:
            # A library's own words may quote an input; where they came from is enough to find them.
            line |= {"event": "library", "logger": record.name, "place": f"{record.filename}:{record.lineno}"}
        line |= {name: _shown(value) for name, value in getattr(record, "fields", {}).items()}
        if record.exc_info and record.exc_info[0]:
            line |= {"error": record.exc_info[0].__name__, "places": _places(record.exc_info[2])}
        return json.dumps(line, ensure_ascii=True)


def _shown(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(name)[:MOST_TEXT]: _shown(item) for name, item in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_shown(item) for item in list(value)[:MOST_ITEMS]]
    return str(value)[:MOST_TEXT]


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-8:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
