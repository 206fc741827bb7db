"""Gateways as processes, one for each reader of heads: the compiled one, where it is built, and the one in Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.gateway_process import GatewayProcess

READERS = ("python", "compiled")


@contextmanager
def gateway_reading_by(reader: str, folder: Path, document: dict[str, Any]) -> Iterator[GatewayProcess]:
    """A gateway of one worker that reads heads so; skips the test where this reader is not built."""
    environ = {"JWTGATE_HEADS": reader}
    command = [sys.executable, "-c", "import jwtgate.gateway.heads.reading"]
    if reader != "python" and subprocess.run(command, env={**os.environ, **environ}, capture_output=True).returncode:
        pytest.skip(f"the {reader} reader of heads is not built")
    with GatewayProcess(folder, json.dumps(document), workers=1, environ=environ) as gateway:
        yield gateway
