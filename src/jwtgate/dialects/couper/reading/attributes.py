"""The attributes of one block: those of a request as texts, those of the load as values of the type they must have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from jwtgate.dialects.couper.expressions.language import check, evaluated_statically
from jwtgate.dialects.couper.expressions.tree import Unreadable
from jwtgate.dialects.couper.reading.blocks import Block
from jwtgate.dialects.couper.reading.configuration import Edits, Place, Text
from jwtgate.dialects.couper.reading.durations import parse_duration
from jwtgate.dialects.couper.reading.files import beside, content_of
from jwtgate.dialects.couper.reading.mistakes import Mistakes

Value = TypeVar("Value")

_VARIABLE = re.compile(r'\s*(?:"\$\{\s*)?env\.([A-Za-z_][A-Za-z0-9_]*)(?:\s*\}")?\s*')
_VARIABLES = re.compile(r"(?<![\w.])env\.([A-Za-z_]\w*)")
_HAS_OTHERWISE = re.compile(r"\bdefault\(|\bcan\(|\?")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Context:
    """What every block is read with: what `env.X` and `couper.environment` mean, and where mistakes are noted.

    `set_outside` are the names that are really set in the environment, where `environ` has the defaults too.
    `files` collects those that were named.
    """

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    set_outside: frozenset[str]
    environment: str
    mistakes: Mistakes
    warnings: list[str]
    files: list[Path] = field(default_factory=list)


class Attributes:
    """The attributes of a block. What cannot be read is noted as a mistake, and is as if it had not been written."""

    def __init__(self, block: Block, context: Context) -> None:
        self.block = block
        self.context = context
        self.mistakes = context.mistakes
        self._values: dict[str, object] = {}
        self._broken: set[str] = set()

    def is_set(self, name: str) -> bool:
        """Whether it was written and is neither null nor an empty text. One that cannot be read counts as set."""
        return name in self.block.attributes and (self.value(name) not in (None, "") or name in self._broken)

    def is_readable(self, name: str) -> bool:
        """Whether nothing was wrong with it when it was looked at."""
        return name not in self._broken

    def place(self, name: str) -> Place:
        """Where the attribute stands, or else its block."""
        attribute = self.block.attributes.get(name)
        return attribute.place if attribute else self.block.place

    def text(self, name: str) -> Text | None:
        """The source of its expression, which is one."""
        text = self._text(name)
        if text and name not in self._values:
            self._noting(name, text, lambda: check(text.source))
        return text

    def edits(self) -> Edits:
        """The modifiers."""
        return Edits(**{name: self.text(name) for name in Edits.__dataclass_fields__})

    def variable(self, name: str) -> str | None:
        """The variable of the environment that is all it says; none for one that only has a default."""
        text = self._text(name)
        found = _VARIABLE.fullmatch(text.source) if text else None
        return found[1] if found and found[1] in self.context.set_outside else None

    def value(self, name: str) -> object:
        """What it says, of any type."""
        text = self._text(name)
        if text is None or name in self._broken:
            return None
        if name not in self._values:
            environ, environment = self.context.environ, self.context.environment
            self._values[name] = self._noting(
                name, text, lambda: evaluated_statically(text.source, environ, environment=environment)
            )
        return self._values[name]

    def string(self, name: str) -> str | None:
        """A text; an empty one is none."""
        return self._of_type(name, _string, "string") or None

    def strings(self, name: str) -> tuple[str, ...] | None:
        """A list of texts."""
        return self._of_type(name, _strings, "list of strings")

    def boolean(self, name: str) -> bool:
        """Whether it is true."""
        return self._of_type(name, _boolean, "bool") or False

    def number(self, name: str) -> float | None:
        """A number."""
        return self._of_type(name, _number, "number")

    def statuses(self, name: str) -> tuple[int, ...]:
        """A list of status codes."""
        return self._of_type(name, _whole_numbers, "list of whole numbers") or ()

    def table(self, name: str) -> dict[str, tuple[str, ...]] | None:
        """An object of lists of texts."""
        return self._of_type(name, table_of_lists, "map of lists of strings")

    def texts(self, name: str) -> dict[str, str] | None:
        """An object of texts."""
        return self._of_type(name, _texts, "map of strings")

    def duration(self, name: str, *, label: str) -> float | None:
        """Seconds."""
        said = self.string(name)
        if said is None:
            return None
        try:
            return parse_duration(said)
        except ValueError as problem:
            self._broken.add(name)
            self.mistakes.of(label, str(problem), place=self.place(name))
            return None

    def required_duration(self, name: str, *, label: str) -> float | None:
        """Seconds. That it was not written at all is for others to note."""
        if name in self.block.attributes and not self.is_set(name):
            self.mistakes.of(label, 'time: invalid duration ""', place=self.place(name))
        return self.duration(name, label=label)

    def positive_duration(self, name: str, *, label: str, default: float) -> float:
        """Seconds, none at least."""
        seconds = self.duration(name, label=label)
        if seconds is None:
            return default
        if seconds < 0:
            self.mistakes.of(label, f"{name}: cannot be negative: '{self.string(name)}'", place=self.place(name))
        return seconds

    def path(self, name: str) -> Path | None:
        """The absolute path of a file, which may be told from the folder of the file the attribute stands in."""
        said = self.string(name)
        if not said:
            return None
        path = beside(said, self.place(name), self.context.folder)
        self.context.files.append(path)
        return path

    def text_file(self, name: str, *, label: str) -> Path | None:
        """The absolute path of a file that holds a text in UTF-8."""
        path = self.path(name)
        if path is None:
            return None
        try:
            content_of(path).decode()
        except UnicodeDecodeError:
            sentence = "invalid file content"
        except ValueError as problem:
            sentence = str(problem)
        else:
            return path
        self.mistakes.of(label, f"{name}: read error: {sentence}", place=self.place(name))
        return None

    def _text(self, name: str) -> Text | None:
        attribute = self.block.attributes.get(name)
        if attribute is None:
            return None
        text = attribute.text
        for variable in () if _HAS_OTHERWISE.search(text.source) else _VARIABLES.findall(text.source):
            if variable not in self.context.environ:
                sentence = f"{text.place.file}:{text.place.line} {name}: env.{variable} is not set; it is null"
                self.mistakes.cause(sentence)
                if sentence not in self.context.warnings:
                    self.context.warnings.append(sentence)
        return text

    def _noting(self, name: str, text: Text, work: Callable[[], Value]) -> Value | None:
        """What the work gives; None when the text cannot be read or evaluated, which is noted."""
        try:
            return work()
        except Unreadable as problem:
            self._broken.add(name)
            place = within(text.place, problem.place)
            self.mistakes.at(place, f"Unsuitable value for {name}", detail=problem.sentence)
            return None

    def _of_type(self, name: str, convert: Callable[[object], Value], wanted: str) -> Value | None:
        said, text = self.value(name), self._text(name)
        if said is None or text is None or name in self._broken:
            return None
        try:
            return convert(said)
        except TypeError:
            self._broken.add(name)
            self.mistakes.at(text.place, f"Unsuitable value type for {name}", detail=f"{wanted} required")
            return None


def within(place: Place, at: tuple[int, int]) -> Place:
    """Where this line and column of the text at a place are in its file."""
    line = place.line + at[0] - 1
    column = at[1] + (place.column - 1 if at[0] == 1 else 0)
    return Place(place.file, line, column, line, column + 1)


def _string(said: object) -> str:
    if isinstance(said, bool):
        return "true" if said else "false"
    if isinstance(said, int | float):
        return f"{int(said)}" if said == int(said) else repr(said)
    if isinstance(said, str):
        return said
    raise TypeError


def _strings(said: object) -> tuple[str, ...]:
    if not isinstance(said, list | tuple):
        raise TypeError
    return tuple(_string(each) for each in said)


def _texts(said: object) -> dict[str, str]:
    if not isinstance(said, dict):
        raise TypeError
    return {name: _string(each) for name, each in said.items()}


def _boolean(said: object) -> bool:
    found = _BOOLEANS.get(said) if isinstance(said, str) else said
    if not isinstance(found, bool):
        raise TypeError
    return found


def _number(said: object) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        raise TypeError
    try:
        return float(said)
    except ValueError:
        raise TypeError from None


def _whole_numbers(said: object) -> tuple[int, ...]:
    if not isinstance(said, list | tuple):
        raise TypeError
    found = [_number(each) for each in said]
    if any(each != int(each) for each in found):
        raise TypeError
    return tuple(int(each) for each in found)


def table_of_lists(said: object) -> dict[str, tuple[str, ...]]:
    """An object of lists of texts, as a permissions map has it. `TypeError` for anything else."""
    if not isinstance(said, dict):
        raise TypeError
    return {name: _strings(each) for name, each in said.items()}
