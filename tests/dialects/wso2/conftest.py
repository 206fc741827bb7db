"""One backend for all, and gateways by what they are configured with: tests that ask for the same share one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.records import records
from tests.dialects.wso2.wso2_process import Wso2Process

Served = Callable[..., Wso2Process]


@pytest.fixture(scope="session")
def backend() -> Iterator[Backend]:
    """The backend."""
    with Backend() as backend:
        yield backend


@pytest.fixture(scope="module")
def served(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway with this configuration, `more` records and variables of its environment."""
    with ExitStack() as stack:
        running: dict[str, Wso2Process] = {}

        def serve(configuration: str, *, environ: dict[str, str] | None = None, **more: Any) -> Wso2Process:
            named = json.dumps([configuration, environ, more])
            if named not in running:
                folder = tmp_path_factory.mktemp("wso2")
                process = Wso2Process(folder, configuration, records(backend.url, **more), environ=environ)
                running[named] = stack.enter_context(process)
            return running[named]

        yield serve
