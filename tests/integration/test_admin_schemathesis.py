"""The Admin API of a running gateway against its own description, with requests that schemathesis makes up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .admin_gateway import TOKEN, AdminGateway
from .loopback_server import LoopbackServer
from .test_admin_api import document

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
)

# A condition that does not hold is told before the body is looked at (RFC 9110 section 13.2.1).
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = ["400", "404", "409", "412", "415", "422", "428"]
"""


QUICK = ("/v1/revocations", "/v1/audit", "/v1/document/history", "/v1/upstreams", "/v1/upstreams/{name}")
"""Paths whose schemas are small enough for every one of their borders to be tried."""


@pytest.mark.parametrize(
    "phase",
    [
        ["--phases", "fuzzing", "--max-examples", "4", "--seed", "1"],
        ["--phases", "coverage", *(part for path in QUICK for part in ("--include-path", path))],
    ],
    ids=["fuzzing", "borders"],
)
def test_sec_146_every_answer_is_one_that_is_described(tmp_path: Path, phase: list[str]) -> None:
    with LoopbackServer() as upstream, AdminGateway(tmp_path, document(upstream.url), workers=1) as gateway:
        (tmp_path / "schemathesis.toml").write_text(CONFIG)
        command = [SCHEMATHESIS, "run", f"{gateway.url}/v1/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"]
        command += ["--checks", ",".join(CHECKS), "--suppress-health-check", "all", "--no-color", *phase]
        command += ["--generation-database", "none"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stdout[-8000:] + run.stderr
        assert gateway.get("/file")[0] == 200
        assert gateway.ask("GET", "status").json["ready"]
        assert not [event for event in gateway.events("library") if "error" in event]
