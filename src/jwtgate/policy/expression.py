"""Expressions of a document: what they look at, and what their results mean.

The language itself is compiled on the floor above (`config/expressions.py`); here an expression is a callable. An
error and any result that is not the one asked for deny (SEC-50).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ExpressionFailed(Exception):
    """The expression could not be evaluated: something it names is not there, or is of another type."""


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
