"""The Admin API of a running gateway against its own description, with requests that schemathesis makes up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_sec_146_every_answer_is_one_that_is_described(tmp_path: Path) -> None:
    with LoopbackServer() as upstream, AdminGateway(tmp_path, document(upstream.url), workers=1) as gateway:
        command = [SCHEMATHESIS, "run", f"{gateway.url}/v1/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"]
        command += ["--checks", ",".join(CHECKS), "--phases", "fuzzing", "--max-examples", "4", "--seed", "1"]
        command += ["--suppress-health-check", "all", "--no-color", "--generation-database", "none"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stdout[-8000:] + run.stderr
        assert gateway.get("/file")[0] == 200
        assert gateway.ask("GET", "status").json["ready"]
        assert not [event for event in gateway.events("library") if "error" in event]
