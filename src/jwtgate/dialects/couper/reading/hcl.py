"""Text of HCL to the syntax tree of python-hcl2: the only file that knows the package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from jwtgate.errors import ConfigError

_NUMBERS = ("INT_LITERAL", "FLOAT_LITERAL")
_ENDS_A_VALUE = frozenset((*_NUMBERS, "NAME", "RPAR", "RSQB", "RBRACE", "DBLQUOTE", "TRUE", "FALSE", "NULL"))
_QUOTE = "DBLQUOTE"
_OPEN = frozenset(("LBRACE", "LSQB", "LPAR", "INTERP_START", _QUOTE))
_CLOSED = frozenset(("RBRACE", "RSQB", "RPAR"))
_MISSING = "reading a couper.hcl needs the package python-hcl2: install jwtgate with its extra 'couper'"


class SyntaxProblem(ValueError):
    """A text that is no HCL: lines and columns from 1, what is wrong there, and what may help to find it."""

    def __init__(self, line: int, column: int, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence)
        self.line = line
        self.column = column
        self.sentence = sentence
        self.detail = detail


def parse_body(text: str) -> Any:
    """The tree of a file: a node `body`, whose children are `attribute` and `block` among line ends.

    Nodes have `data`, `children` and `meta` (`line`, `column`, `end_line`, `end_column`, `start_pos`, `end_pos`),
    tokens are texts with a `type`. `SyntaxProblem` where the text is no HCL.
    """
    return _tree(text).children[0]


BEFORE_EXPRESSION = "_ = ("
"""What stands before an expression when its tree is made; the columns of its first line count it."""


def parse_expression(text: str) -> Any:
    """The tree of one expression, in brackets, so that it may have several lines. `SyntaxProblem` when it is none.

    The places of the problem are those in the text alone.
    """
    try:
        body = parse_body(f"{BEFORE_EXPRESSION}{text}\n)\n")
    except SyntaxProblem as problem:
        lines = text.split("\n")
        if problem.line > len(lines):
            raise SyntaxProblem(len(lines), len(lines[-1]) + 1, problem.sentence) from None
        shift = len(BEFORE_EXPRESSION) if problem.line == 1 else 0
        raise SyntaxProblem(problem.line, max(problem.column - shift, 1), problem.sentence) from None
    attributes = [child for child in body.children if child.data != "new_line_or_comment"]
    if len(attributes) != 1 or attributes[0].data != "attribute":
        raise SyntaxProblem(1, 1, "Invalid expression")
    return attributes[0].children[-1]


def _tree(text: str) -> Any:
    try:
        from lark.exceptions import UnexpectedInput
    except ImportError:
        raise ConfigError(_MISSING) from None
    try:
        return _parser().parse(text + "\n")  # a comment has to end with its line
    except UnexpectedInput as problem:
        if getattr(getattr(problem, "token", None), "type", "") != "$END":
            detail = f"Unexpected {_first_of(str(getattr(problem, 'token', '')))}."
            raise SyntaxProblem(problem.line, problem.column, "Invalid expression or block", detail=detail) from None
        lines, detail = text.split("\n"), _unclosed(text)
        raise SyntaxProblem(len(lines), len(lines[-1]) + 1, "The file ends too early", detail=detail) from None


def _first_of(token: str) -> str:
    """The first character, and no more: the rest may be a secret between the wrong quotes."""
    first = token.lstrip(" \t")[:1]
    if first in ("\r", "\n"):
        return "end of the line"
    return first if first.isprintable() and first else "character"


def _unclosed(text: str) -> str:
    """Which bracket or quote of a text that ends too early was opened last and never closed."""
    from lark.exceptions import UnexpectedInput

    opened: list[Any] = []
    with suppress(UnexpectedInput):
        for token in _parser().parse_interactive(text + "\n").iter_parse():
            closes_quote = token.type == _QUOTE and opened and opened[-1].type == _QUOTE
            if token.type in _CLOSED or closes_quote:
                opened.pop()
            elif token.type in _OPEN:
                opened.append(token)
    return f"The {opened[-1].strip()} in line {opened[-1].line} is not closed." if opened else ""


@cache
def _parser() -> Any:
    """That of the package, with a mistake less: it takes a number right after a value for a negative one."""
    try:
        from hcl2 import parser, postlexer
        from lark import Lark, Token
    except ImportError:
        raise ConfigError(_MISSING) from None

    class Subtracting(postlexer.PostLexer):
        def process(self, stream: Iterator[Token]) -> Iterator[Token]:
            yield from super().process(self.split(stream))

        def split(self, stream: Iterator[Token]) -> Iterator[Token]:
            before = ""
            for token in stream:
                if before in _ENDS_A_VALUE and token.type in _NUMBERS and token.startswith("-"):
                    yield Token.new_borrow_pos("MINUS", "-", token)
                    yield Token.new_borrow_pos(token.type, token[1:], token)
                else:
                    yield token
                before = token.type

    return Lark.open(
        "hcl2.lark",
        rel_to=parser.__file__,
        parser="lalr",
        cache=str(parser.PARSER_FILE),
        propagate_positions=True,
        postlex=Subtracting(),
    )
