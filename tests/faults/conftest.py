"""What every fault test may need."""

import os

import pytest


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the amounts and times are those of the promise (`scripts/faults`), or shortened ones."""
    return os.environ.get("JWTGATE_FAULTS") == "full"
