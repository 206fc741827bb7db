"""What the pages for those who come from another gateway have one type in does what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dialects.apisix.apisix_process import ApisixProcess
from tests.dialects.kong.kong_process import KongProcess, curl
from tests.integration.loopback_server import LoopbackServer

DOCS = Path(__file__).parents[2] / "docs/dialects"
FILES = {"apisix": "apisix.yaml", "kong": "kong.yml"}


def blocks(dialect: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / f"{dialect}.md").read_text(), re.MULTILINE | re.DOTALL)


def written(dialect: str, folder: Path, upstream: str) -> Path:
    """The file on the page, with this upstream in the place of its own."""
    (text,) = blocks(dialect, "yaml")
    file = folder / FILES[dialect]
    file.write_text(re.sub(r"127\.0\.0\.1:\d+", upstream.removeprefix("http://"), text))
    return file


@pytest.mark.parametrize("dialect", FILES)
def test_the_file_of_a_page_becomes_a_document_that_can_be_served(dialect: str, tmp_path: Path) -> None:
    file = written(dialect, tmp_path, "127.0.0.1:9")
    command = f"jwtgate import {dialect} {file.name} --report"
    assert command in (DOCS / f"{dialect}.md").read_text()
    jwtgate = str(Path(sys.executable).with_name("jwtgate"))
    made = subprocess.run([jwtgate, *command.split()[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert made.returncode == 0, made.stderr
    assert " 0 refused; " in made.stderr.splitlines()[-1]
    (tmp_path / "gate.yaml").write_text(made.stdout)
    checked = subprocess.run([jwtgate, "check", "gate.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stderr


def test_the_commands_for_a_file_of_apisix_lead_to_its_upstream(tmp_path: Path) -> None:
    serve, *commands = blocks("apisix", "sh")[0].splitlines()
    assert serve == "jwtgate serve --dialect apisix apisix.yaml"
    with LoopbackServer() as upstream:
        file = written("apisix", tmp_path, upstream.url)
        with ApisixProcess(tmp_path, file, httpbin=upstream.url) as apisix:
            # The helper shows heads of answers, which would become part of the token.
            typed = "\n".join(commands).replace("$(curl", "$(command curl")
            assert apisix.sh(typed).status == 200
            assert apisix.sh(commands[-1].replace("$token", "none")).status == 401
    said = (tmp_path / "journal").read_text()
    assert "Admin API of Apache APISIX on http://" in said
    assert "nothing in there is sealed: set JWTGATE_MASTER_KEY" in said


def test_the_command_for_the_admin_api_of_apisix_makes_a_consumer(tmp_path: Path) -> None:
    serve, command = blocks("apisix", "sh")[1].split("\n", 1)
    assert serve.endswith("jwtgate serve --dialect apisix")
    with ApisixProcess(tmp_path, httpbin="127.0.0.1:9") as apisix:
        assert apisix.sh(command).status == 201
        assert apisix.sh(command, ADMIN_API_KEY="wrong").status == 401


def test_the_file_of_kong_asks_for_a_token_and_publishes_its_keys(tmp_path: Path) -> None:
    with LoopbackServer() as upstream, KongProcess(tmp_path, written("kong", tmp_path, upstream.url)) as kong:
        assert curl(f"{kong.proxy}/orders").status == 401
        assert curl(f"{kong.proxy}/elsewhere").status == 404
        published = curl(f"{kong.admin}/jwt-signer/jwks/kong")
        assert published.status == 200
        assert all("d" not in key for key in published.value["keys"])
