"""What holds for all tests."""

from __future__ import annotations

_LONGEST_ID = 30


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A name for a long value: the same in every process, where tokens and keys are fresh ones."""
    return argname if isinstance(val, str | bytes | int) and len(str(val)) > _LONGEST_ID else None
