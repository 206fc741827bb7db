"""The text of an expression (CEL), read far enough to know what it looks at and what may be in it.

Nothing is evaluated here. Every path that begins with a variable, such as `token.access.sub`, becomes one name of its
own, so that an evaluation is given those few values and never a whole token or request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from jwtgate.policy.requirements import ClaimPath

VARIABLES = ("request", "token", "consumer", "permissions", "calls", "now")
OF_ANSWERS = "refusal"
"""A variable there is besides, while an answer is worded."""
FUNCTIONS = frozenset({"size", "string", "int", "uint", "double"})
METHODS = frozenset({"size", "contains", "startsWith", "endsWith", "matches"})
MATCHES = "_matches"
"""What stands for `matches`: the engine's own compiles its pattern for every match."""
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})

LIMIT_BYTES = 2048
_MOST_DEPTH = 16
_MOST_MACROS = 8
_MOST_MACRO_DEPTH = 2
_MOST_SUMS = 16
_WORDS = frozenset({"true", "false", "null", "in"})
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")

_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n\f]+|//[^\n]*)
    |(?P<text>(?:[bB]?[rR]|[rR][bB])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"[^\"\n]*\"|'[^'\n]*')
             |[bB]?(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[<>=!]=|.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One piece of the text and where it stands."""

    kind: str
    text: str
    start: int
    end: int


class Leaf(NamedTuple):
    """A value the expression is given: the name it has, where it lies, and whether only its presence is asked."""

    name: str
    path: ClaimPath
    presence: bool


@dataclass(slots=True)
class Loop:
    """What stands at one depth of macros: how many pieces, leaves, pattern matches, and macros that make lists."""

    pieces: int = 0
    leaves: int = 0
    matches: int = 0
    lists: int = 0


@dataclass(slots=True)
class Reading:
    """What was read: the text with names for its leaves, its patterns, and what bounds its cost.

    `loops` by depth, the first outside of all macros. `commas` bound the lists that are written out.
    """

    leaves: list[Leaf] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=lambda: [Loop() for _ in range(_MOST_MACRO_DEPTH + 1)])
    sums: int = 0
    commas: int = 0
    text: str = ""


class _Open(NamedTuple):
    """A bracket that was opened: whether it makes a list or map, and the name a macro binds in it."""

    literal: bool = False
    bound: str | None = None


def read_expression(text: str, literal: Callable[[str], object]) -> Reading:
    """What this text asks for. `literal` gives the value of a literal. `ValueError` with a sentence."""
    if len(text.encode(errors="replace")) > LIMIT_BYTES:
        raise ValueError(f"is longer than {LIMIT_BYTES} bytes")
    return _Reader(text, literal).read()


class _Reader:
    def __init__(self, text: str, literal: Callable[[str], object]) -> None:
        self._text = text
        self._literal = literal
        self._tokens = [*_tokens(text), *[Token("end", "", len(text), len(text))] * 4]
        self._open: list[_Open] = []
        self._macros = 0
        self._found = Reading()
        self._written: list[str] = []
        self._copied = 0

    def read(self) -> Reading:
        position = 0
        while self._tokens[position].kind != "end":
            self._loop.pieces += 1
            position = self._step(position)
        self._found.text = "".join([*self._written, self._text[self._copied :]])
        return self._found

    @property
    def _depth(self) -> int:
        return sum(bracket.bound is not None for bracket in self._open)

    @property
    def _loop(self) -> Loop:
        return self._found.loops[self._depth]

    def _step(self, position: int) -> int:
        """Take in what stands here. Gives the position after it."""
        token = self._tokens[position]
        if token.kind == "name":
            return self._name(position)
        if token.kind == "sign" and token.text in _OPENING:
            self._push(_Open(literal=token.text != "(" and not self._follows_value(position)))
        elif token.kind == "sign" and token.text in _CLOSING and self._open:
            self._open.pop()
        self._found.commas += token.text == ","
        self._found.sums += token.text == "+"
        if self._found.sums > _MOST_SUMS:
            raise ValueError(f"adds more than {_MOST_SUMS} times")
        return position + 1

    def _follows_value(self, position: int) -> bool:
        before = self._tokens[position - 1] if position else None
        if before is None or before.text == "in":
            return False
        return before.text in _CLOSING or before.kind in ("name", "text")

    def _push(self, bracket: _Open) -> None:
        self._open.append(bracket)
        if len(self._open) > _MOST_DEPTH or self._depth > _MOST_MACRO_DEPTH:
            raise ValueError("is nested too deeply")

    def _name(self, position: int) -> int:
        name, following = self._tokens[position].text, self._tokens[position + 1].text
        if position and self._tokens[position - 1].text == ".":
            return self._method(position) if following == "(" else position + 1
        if name in _WORDS:
            return position + 1
        if self._is_bound(name):
            self._refuse_in_literal()
            return position + 1
        if following != "(":
            return self._leaf(position, first=position)
        if name == "has" and not self._is_bound(self._tokens[position + 2].text):
            return self._leaf(position, first=position + 2)
        if name != "has" and name not in FUNCTIONS:
            raise ValueError(f"calls {name}, which is no function here; there are {', '.join(sorted(FUNCTIONS))}")
        return position + 1

    def _is_bound(self, name: str) -> bool:
        return any(bracket.bound == name for bracket in self._open)

    def _refuse_in_literal(self) -> None:
        """What a macro makes of each element must not grow from macro to macro."""
        in_macro = False
        for bracket in self._open:
            in_macro = in_macro or bracket.bound is not None
            if in_macro and bracket.literal:
                raise ValueError("a list or map inside all, exists, map or filter may hold constants only")

    def _method(self, position: int) -> int:
        name, argument, following = (self._tokens[position + step] for step in (0, 2, 3))
        if name.text in MACROS:
            return self._macro(position, argument, following)
        if name.text not in METHODS:
            raise ValueError(f"calls .{name.text}, which is no function here; there are {', '.join(sorted(METHODS))}")
        if name.text == "matches":
            if argument.kind != "text" or following.text != ")":
                raise ValueError("matches needs its pattern written out, in quotes")
            self._found.patterns.append(str(self._literal(argument.text)))
            self._loop.matches += 1
            self._write(position, position + 1, MATCHES)
        return position + 1

    def _macro(self, position: int, bound: Token, following: Token) -> int:
        name = self._tokens[position].text
        if bound.kind != "name" or following.text != ",":
            raise ValueError(f"{name} needs a name for each element first, such as {name}(x, ...)")
        if bound.text in (*VARIABLES, OF_ANSWERS, *_WORDS) or self._is_bound(bound.text):
            raise ValueError(f"the name {bound.text} is taken")
        self._macros += 1
        if self._macros > _MOST_MACROS:
            raise ValueError(f"uses more than {_MOST_MACROS} of all, exists, exists_one, map and filter")
        self._loop.lists += name in ("map", "filter")
        self._push(_Open(bound=bound.text))
        return position + 4

    def _leaf(self, position: int, *, first: int) -> int:
        """Put a name for the path that begins at `first`. What stands at `position` is that path, or `has`."""
        root = self._tokens[first].text
        if root not in (*VARIABLES, OF_ANSWERS):
            raise ValueError(f"names {root}; there are {', '.join(VARIABLES)}")
        self._refuse_in_literal()
        steps, end = self._steps(first + 1)
        presence = first > position
        end += presence  # the bracket that ends `has(`
        self._write(position, end, self._named((root, *steps), presence=presence))
        self._loop.leaves += 1
        return end

    def _named(self, path: ClaimPath, *, presence: bool) -> str:
        """The name of this leaf: the one it has already, or a new one."""
        for leaf in self._found.leaves:
            if (leaf.path, leaf.presence) == (path, presence):
                return leaf.name
        name = f"_{len(self._found.leaves)}"
        self._found.leaves.append(Leaf(name, path, presence))
        return name

    def _write(self, first: int, end: int, name: str) -> None:
        """Put a name in the place of the pieces from `first` to `end`."""
        self._written += [self._text[self._copied : self._tokens[first].start], name]
        self._copied = self._tokens[end - 1].end

    def _steps(self, position: int) -> tuple[list[str | int], int]:
        """The steps of a path from here, and the position after them: a call, or an index that is not written out."""
        steps: list[str | int] = []
        while True:
            sign, step, after = self._tokens[position : position + 3]
            if sign.text == "." and step.kind == "name" and after.text != "(":
                steps.append(step.text)
                position += 2
            elif sign.text == "[" and after.text == "]" and (value := self._index(step)) is not None:
                steps.append(value)
                position += 3
            else:
                return steps, position

    def _index(self, token: Token) -> str | int | None:
        if token.kind == "number" and token.text.isdigit():
            return int(token.text)
        value = self._literal(token.text) if token.kind == "text" else None
        return value if isinstance(value, str) else None


def _tokens(text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind != "blank":
            yield Token(kind, found[0], found.start(), found.end())
