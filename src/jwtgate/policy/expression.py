"""Expressions of a document: what they look at, and what their results mean.

The languages themselves are compiled on the floor above (`config/expressions.py`, `config/sections/languages.py`);
here an expression is a callable. An error and any result that is not the one asked for deny (SEC-50).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jwtgate.policy.facts import Need
    from jwtgate.policy.value import Known


class ExpressionFailed(Exception):
    """The expression could not be evaluated: something it names is not there, or is of another type.

    `kind` is what its language calls failures of this sort, for the log.
    """

    def __init__(self, *sentence: str, kind: str | None = None) -> None:
        super().__init__(*sentence)
        self.kind = kind


class ExpressionTooCostly(ExpressionFailed):
    """It was not evaluated: what it looks at is more than it may."""


class ExpressionAmbiguous(ExpressionFailed):
    """Part of the request it looks at stands there several times, and nobody can tell which is meant."""


class Expression(Protocol):
    """A compiled expression."""

    @property
    def text(self) -> str:
        """The expression as the document has it."""

    def __call__(self, variables: Mapping[str, object]) -> object:
        """Its JSON value. Raises `ExpressionFailed`, and nothing else."""


class Asks(Exception):
    """A known expression needs something first. It is called again once the answer is in `known.answers[key]`."""

    def __init__(self, need: Need, key: Hashable) -> None:
        super().__init__(need)
        self.need = need
        self.key = key


class KnownExpression(Protocol):
    """A compiled expression of an installed language. It looks at all that is known of a request.

    It travels to another process as plain data (`__reduce__`). One with an attribute `of_request` that is False looks
    at nothing but who the caller is; one with an attribute `asks` that is False never raises `Asks`.
    """

    @property
    def text(self) -> str:
        """The expression as the document has it."""

    def __call__(self, known: Known) -> object:
        """Its JSON value, or `MISSING` where there is none. Raises `ExpressionFailed`, `Asks`, and nothing else."""
