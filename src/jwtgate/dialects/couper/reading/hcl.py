"""Text of HCL to the syntax tree of python-hcl2: the only file that knows the package."""

from __future__ import annotations

from typing import Any

from jwtgate.errors import ConfigError

_MISSING = "reading a couper.hcl needs the package python-hcl2: pip install 'jwtgate[couper]'"


class SyntaxProblem(ValueError):
    """A text that is no HCL: lines and columns from 1, and what is wrong there."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.column = column
        self.sentence = sentence


def parse_body(text: str) -> Any:
    """The tree of a file: a node `body`, whose children are `attribute` and `block` among line ends.

    Nodes have `data`, `children` and `meta` (`line`, `column`, `end_line`, `end_column`, `start_pos`, `end_pos`),
    tokens are texts with a `type`. `SyntaxProblem` where the text is no HCL.
    """
    return _tree(text).children[0]


def parse_expression(text: str) -> Any:
    """The tree of one expression. `SyntaxProblem` when it is none; its places are those in the text alone."""
    before = "_ = "
    try:
        body = parse_body(before + text)
    except SyntaxProblem as problem:
        shift = len(before) if problem.line == 1 else 0
        raise SyntaxProblem(problem.line, max(problem.column - shift, 1), problem.sentence) from problem
    attributes = [child for child in body.children if child.data != "new_line_or_comment"]
    if len(attributes) != 1 or attributes[0].data != "attribute":
        raise SyntaxProblem(1, 1, "Invalid expression")
    return attributes[0].children[-1]


def _tree(text: str) -> Any:
    try:
        from hcl2 import parses_to_tree
        from lark.exceptions import UnexpectedInput
    except ImportError:
        raise ConfigError(_MISSING) from None
    try:
        return parses_to_tree(text)
    except UnexpectedInput as problem:
        line, column = problem.line, problem.column
        if line < 1 or column < 1:
            line, column = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
        raise SyntaxProblem(line, column, "Invalid expression or block") from None
