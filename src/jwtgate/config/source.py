"""YAML, JSON or TOML text to plain data, with the line of every key and value.

YAML is read by the core scalars of its version 1.2 and nothing else: `no`, `on`, `1_000`, `12:30` and dates stay text.
A repeated key, a tag, an anchor, an alias, a merge key and a second document are mistakes (SEC-160).
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NoReturn

import yaml

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import parse_json

LIMIT_BYTES = 64 * 1024 * 1024
MOST_DEPTH = 32
_MOST_DIGITS = 32

Plain = Any
"""Text, numbers, flags, null, and lists and mappings of them."""


class Source:
    """One document as plain data. `line` tells where something stands."""

    def __init__(self, name: str, data: Plain, lines: dict[int, list[int]]) -> None:
        self.name = name
        self.data = data
        self._lines = lines
        self._by_key: dict[int, dict[str, int]] = {}

    def line(self, place: tuple[str | int, ...]) -> int:
        """The line of this place, or of the nearest one around it that has a line of its own."""
        line, value = 1, self.data
        if not self._lines:
            return line
        for step in place:
            if isinstance(value, dict) and step in value:
                line = self._lines_of_keys(value)[str(step)]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                line = self._lines[id(value)][step]
            else:
                break
            value = value[step]
        return line

    def _lines_of_keys(self, mapping: dict[str, Plain]) -> dict[str, int]:
        lines = self._by_key.get(id(mapping))
        if lines is None:
            lines = self._by_key[id(mapping)] = dict(zip(mapping, self._lines[id(mapping)], strict=True))
        return lines


def read_source(data: bytes, name: str) -> Source:
    """The document in these bytes; `name` ends in `.yaml`, `.yml`, `.json` or `.toml`. Raises `ConfigError`."""
    readers = {"yaml": _read_yaml, "yml": _read_yaml, "json": _read_json, "toml": _read_toml}
    reader = readers.get(name.rpartition(".")[2].lower())
    if reader is None:
        raise ConfigError(f"{name}: the name must end in .yaml, .yml, .json or .toml")
    if len(data) > LIMIT_BYTES:
        raise ConfigError(f"{name}: is larger than {LIMIT_BYTES // 1024 // 1024} MiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: is not UTF-8") from None
    if reader is _read_json and "\n" not in text:
        # A program wrote it. What is wrong with it is found below, and stands in the one line anyway.
        with suppress(ValueError):
            bounds = {"limit_bytes": LIMIT_BYTES, "most_members": LIMIT_BYTES, "most_string_bytes": LIMIT_BYTES}
            return Source(name, parse_json(data, **bounds), {})
    builder = _Builder(name)
    reader(text, builder)
    if builder.problems:
        raise ConfigError(*builder.problems)
    return Source(name, builder.root, builder.lines)


def yaml_text(plain: Plain) -> str:
    """The plain data as YAML that `read_source` reads as the same."""
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, and quotes whatever another reader could take for something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written where it stands."""
        return True


class _Builder:
    """Plain data put together from the outside in, with the line of every item."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Plain = None
        self.lines: dict[int, list[int]] = {}
        self.problems: list[str] = []
        self._open: list[Plain] = []
        self._keys: list[tuple[str, int] | None] = []

    def stop(self, line: int, sentence: str) -> NoReturn:
        """Raise `ConfigError`: nothing after this can be read."""
        raise ConfigError(*self.problems, f"{self.name}:{line}: {sentence}")

    def note(self, line: int, sentence: str) -> None:
        """Remember a mistake after which reading can go on."""
        self.problems.append(f"{self.name}:{line}: {sentence}")

    @property
    def awaits_key(self) -> bool:
        """Whether the next thing is the key of a mapping."""
        return bool(self._open) and isinstance(self._open[-1], dict) and self._keys[-1] is None

    def key(self, text: str, line: int) -> None:
        """The key of what comes next."""
        if text in self._open[-1]:
            self.note(line, "the key is given twice in one mapping")
        # Shared, since the same few keys stand in every entry of a long document.
        self._keys[-1] = (sys.intern(text), line)

    def put(self, value: Plain, line: int) -> None:
        """One value, at the place that was reached."""
        if not self._open:
            self.root = value
            return
        holder = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
            self.lines[id(holder)].append(line)
            return
        key, key_line = self._keys[-1] or ("", line)
        self._keys[-1] = None
        if key not in holder:
            self.lines[id(holder)].append(key_line)
        holder[key] = value

    def open(self, holder: Plain, line: int) -> None:
        """A list or mapping to be filled until `close`."""
        if len(self._open) >= MOST_DEPTH:
            self.stop(line, "is nested too deeply")
        self.put(holder, line)
        self._open.append(holder)
        self._keys.append(None)
        self.lines[id(holder)] = []

    def close(self) -> None:
        """The end of what was opened last."""
        self._open.pop()
        self._keys.pop()


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_FIRST_OF_NUMBER = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_OTHER_INTEGER = re.compile(r"0(?:o[0-7]+|x[0-9A-Fa-f]+)\Z")
# A digit before the point, no zeros in front: what YAML 1.1 and 1.2 read alike.
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


def _read_yaml(text: str, builder: _Builder) -> None:
    documents = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                _put_scalar(event, builder)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                line = _line(event)
                _refuse_marks(event, builder)
                if builder.awaits_key:
                    builder.stop(line, "a key must be plain text")
                builder.open({} if isinstance(event, yaml.MappingStartEvent) else [], line)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                builder.close()
            elif isinstance(event, yaml.AliasEvent):
                builder.stop(_line(event), "aliases are not read here; write the value out")
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    builder.stop(_line(event), "a second document begins; one file holds one")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        builder.stop(mark.line + 1 if mark else 1, f"is not YAML: {error.problem or error.context}")
    except (yaml.YAMLError, ValueError):
        builder.stop(1, "is not YAML")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refuse_marks(event: yaml.NodeEvent, builder: _Builder) -> None:
    line = _line(event)
    if event.anchor is not None:
        builder.note(line, "anchors are not read here; write the value out")
    if getattr(event, "tag", None) is not None:
        builder.note(line, "tags are not read here")


def _put_scalar(event: yaml.ScalarEvent, builder: _Builder) -> None:
    line = _line(event)
    if event.anchor is not None or event.tag is not None:
        _refuse_marks(event, builder)
    if builder.awaits_key:
        if event.value == "<<" and event.implicit[0]:
            builder.note(line, "merge keys are not read here; write the keys out")
        builder.key(event.value, line)
        return
    builder.put(_core_scalar(event.value, line, builder) if event.implicit[0] else event.value, line)


def _core_scalar(text: str, line: int, builder: _Builder) -> Plain:
    """What a plain scalar means by the core schema of YAML 1.2, section 10.3."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text[0] not in _FIRST_OF_NUMBER:
        return text
    if _INTEGER.match(text) or _OTHER_INTEGER.match(text):
        if len(text) > _MOST_DIGITS:
            builder.stop(line, "a number has too many digits")
        return int(text, 0)
    if _FLOAT.match(text):
        return _finite(text, line, builder)
    if _NOT_FINITE.match(text):
        builder.stop(line, "a number must be finite")
    return text


def _finite(text: str, line: int, builder: _Builder) -> float:
    number = float(text)
    if number - number != 0:
        builder.stop(line, "a number is too large")
    return number


_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+|\n')


def _read_json(text: str, builder: _Builder) -> None:
    try:
        json.loads(text, parse_constant=lambda _: builder.stop(1, "a number must be finite"))
    except json.JSONDecodeError as error:
        builder.stop(error.lineno, f"is not JSON: {error.msg}")
    except (RecursionError, ValueError):
        builder.stop(1, "is nested too deeply, or a number has too many digits")
    line = 1
    for piece in _PIECE.findall(text):
        if piece == "\n":
            line += 1
        elif piece in "[{":
            builder.open({} if piece == "{" else [], line)
        elif piece in "]}":
            builder.close()
        elif piece not in ",:":
            _put_json(piece, line, builder)


def _put_json(piece: str, line: int, builder: _Builder) -> None:
    if piece[0] == '"':
        value = json.loads(piece)
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            builder.stop(line, "holds a lone surrogate")
        if builder.awaits_key:
            builder.key(value, line)
            return
        builder.put(value, line)
        return
    if len(piece) > _MOST_DIGITS:
        builder.stop(line, "a number has too many digits")
    value = json.loads(piece)
    builder.put(_finite(piece, line, builder) if isinstance(value, float) else value, line)


def _read_toml(text: str, builder: _Builder) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        builder.stop(int(found[1]) if found else 1, "is not TOML")
    except (RecursionError, ValueError):
        builder.stop(1, "is nested too deeply, or a number has too many digits")
    lines = dict(_toml_lines(text))
    _copy_toml(data, (), 1, lines, builder)


def _copy_toml(
    value: Plain, place: tuple[str, ...], line: int, lines: dict[tuple[str, ...], int], builder: _Builder
) -> None:
    if isinstance(value, dict):
        builder.open({}, line)
        for name, item in value.items():
            here = lines.get((*place, name), line)
            builder.key(name, here)
            _copy_toml(item, (*place, name), here, lines, builder)
        builder.close()
        return
    if isinstance(value, list):
        builder.open([], line)
        for item in value:
            _copy_toml(item, place, line, lines, builder)
        builder.close()
        return
    if isinstance(value, float) and value - value != 0:
        builder.stop(line, "a number must be finite")
    if not isinstance(value, str | int | float):
        builder.stop(line, "dates and times are not read here; write them in quotes")
    builder.put(value, line)


_TOML_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(?:#.*)?\Z")
_TOML_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def _toml_lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Lines of keys as far as one look at each line tells; a guess serves a message, never a meaning."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _TOML_HEADER.match(line):
            table = _toml_key(header[1])
            yield table, number
        elif key := _TOML_KEY.match(line):
            yield (*table, *_toml_key(key[1])), number


def _toml_key(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[\w-]+""", text))
