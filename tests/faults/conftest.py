"""What every fault test may need."""

import json
import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells whoever makes a table of the figures that a scenario failed, wherever in the test that was found out."""
    report = yield
    name = os.environ.get("FAULTS_FIGURES")
    if report.failed and name:
        with Path(name).open("a") as file:
            for number in re.findall(r"rel_(\d+)_", item.name):
                file.write(json.dumps({"scenario": f"REL-{number}", "failed": item.nodeid}) + "\n")
    return report


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the amounts and times are those of the promise (`scripts/faults`), or shortened ones."""
    return os.environ.get("JWTGATE_FAULTS") == "full"
