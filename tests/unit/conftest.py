"""What unit tests of every folder may need."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def isolated_logging() -> Iterator[None]:
    """Logging is afterwards as it was: whoever starts a gateway in this process sets it up."""
    root, raises = logging.getLogger(), logging.raiseExceptions
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, logging.raiseExceptions = handlers, level, raises
