"""Keys, made once, and the functions with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.dialects.kamailio.material import NOW, write_keys

from jwtgate.integrations.kamailio.calls import Calls

Make = Callable[..., Calls]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def strict() -> Calls:
    return Calls(clock=lambda: NOW)


@pytest.fixture
def compat() -> Calls:
    return Calls(clock=lambda: NOW, compat=True)


@pytest.fixture(params=["strict", "compat"])
def either(request: pytest.FixtureRequest) -> Calls:
    """Where the two ways do the same."""
    return Calls(clock=lambda: NOW, compat=request.param == "compat")
