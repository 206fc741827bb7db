"""What the pages for those who come from another gateway have one type in does what they say."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.apisix.apisix_process import ApisixProcess
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.kong.kong_process import KongProcess, curl
from tests.integration.gateway_process import GatewayProcess
from tests.integration.loopback_server import LoopbackServer

from jwtgate import generate_key, sign
from jwtgate.jose.key import Key

DOCS = Path(__file__).parents[2] / "docs/dialects"
FILES = {"apisix": ("apisix.yaml", "yaml"), "couper": ("couper.hcl", "hcl"), "kong": ("kong.yml", "yaml")}
CERTS = "https://issuer.example/certs"


def blocks(dialect: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / f"{dialect}.md").read_text(), re.MULTILINE | re.DOTALL)


def written(dialect: str, folder: Path, upstream: str) -> Path:
    """The file on the page, with this upstream in the place of its own."""
    name, language = FILES[dialect]
    text, *_ = blocks(dialect, language)
    file = folder / name
    file.write_text(re.sub(r"127\.0\.0\.1:\d+", upstream.removeprefix("http://"), text))
    return file


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What comes of this command of jwtgate in a folder."""
    jwtgate = str(Path(sys.executable).with_name("jwtgate"))
    return subprocess.run([jwtgate, *command.split()], cwd=folder, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("dialect", FILES)
def test_the_file_of_a_page_becomes_a_document_that_can_be_served(dialect: str, tmp_path: Path) -> None:
    file = written(dialect, tmp_path, "127.0.0.1:9")
    command = f"jwtgate import {dialect} {file.name} --report"
    assert command in (DOCS / f"{dialect}.md").read_text()
    made = typed(command.removeprefix("jwtgate "), tmp_path)
    assert made.returncode == 0, made.stderr
    assert " 0 refused; " in made.stderr.splitlines()[-1]
    (tmp_path / "gate.yaml").write_text(made.stdout)
    checked = typed("check gate.yaml", tmp_path)
    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def couper_file(tmp_path: Path) -> Iterator[tuple[Path, Key]]:
    """The file of Couper's page, for a provider and a backend that are there, and the key of the provider."""
    key = generate_key("RS256", kid="k")
    with LoopbackServer() as server:
        server.jwks = {"keys": [{**key.public().to_jwk(), "use": "sig"}]}
        file = written("couper", tmp_path, server.url)
        file.write_text(file.read_text().replace(CERTS, f"{server.url}/jwks"))
        yield file, key


def test_the_file_of_couper_and_the_document_it_becomes_answer_alike(
    tmp_path: Path, couper_file: tuple[Path, Key]
) -> None:
    file, key = couper_file
    good = {"iss": "https://issuer.example", "sub": "ann", "scope": "orders:read", "exp": int(time.time()) + 300}
    tokens = [
        sign(claims, key) for claims in (good, {**good, "scope": "else"}, {**good, "iss": "x"}, {**good, "exp": 1})
    ]
    asked = [("/v1/orders/7", token) for token in (*tokens, "none")] + [("/elsewhere", tokens[0]), ("/v1/x", tokens[0])]

    def answers(address: str) -> list[object]:
        found = [curl(f"{address}{path}", "--header", f"Authorization: Bearer {token}") for path, token in asked]
        return [(each.status, each.field("couper-error"), each.field("www-authenticate")) for each in found]

    with CouperProcess(tmp_path, file.read_text()) as couper:
        of_couper = answers(couper.proxy)
        seen = couper.ask("/v1/orders/7", bearer=tokens[0]).value
        assert (seen["x-user"], "authorization" in seen) == ("ann", False)
    assert [status for status, *_ in of_couper] == [200, 403, 401, 401, 401, 404, 404]
    document = tmp_path / "native"
    document.mkdir()
    made = typed(f"import couper {file.name} --output native/gate.yaml", tmp_path)
    assert made.returncode == 0, made.stderr
    text = (document / "gate.yaml").read_text().replace("0.0.0.0:8080", "127.0.0.1:0")
    with GatewayProcess(document, text) as gateway:
        assert answers(f"http://127.0.0.1:{gateway.ports[0]}") == of_couper


def test_what_couper_s_page_tells_of_checks_and_of_single_requests(tmp_path: Path) -> None:
    """Also with what stands in its second block."""
    file = written("couper", tmp_path, "127.0.0.1:9")
    file.write_text("".join(blocks("couper", "hcl")))
    assert typed("check couper.hcl", tmp_path).returncode == 0
    told = typed("explain couper.hcl --curl http://127.0.0.1:8080/v1/orders/7", tmp_path)
    assert (told.returncode, "refused 401 credential_missing" in told.stdout) == (1, True)


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
