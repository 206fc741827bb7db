"""Expressions evaluated as a route would, with and without a request."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.plans import known

from jwtgate.dialects.couper.expressions.language import compiled
from jwtgate.policy.value import Known


def value_of(text: str, here: Known | None = None, **given: Any) -> Any:
    return compiled(text, given)(known() if here is None else here)
