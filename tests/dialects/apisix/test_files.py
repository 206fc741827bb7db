"""Objects that stand in files: served as they are, read only, and carried over to a document of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.apisix.apisix_process import ApisixProcess
from tests.dialects.apisix.httpbin import Httpbin
from tests.dialects.apisix.tokens import SECRET, token

STANDALONE = """
routes:
  - id: jwt-route
    uri: URI
    plugins: {jwt-auth: {}}
    upstream: {type: roundrobin, nodes: {"NODE": 1}}
consumers:
  - username: jack
    plugins: {jwt-auth: {key: jack-key, secret: SECRET}}
  - username: rose
  - id: rose/credentials/r
    plugins: {jwt-auth: {key: rose-key, secret: SECRET}}
#END
"""
ADC = """
services:
  - name: httpbin
    upstream: {name: default, nodes: [{host: HOST, port: PORT, weight: 1}]}
    routes:
      - {name: get, uris: [/get], plugins: {jwt-auth: {}}}
consumers:
  - username: jack
    credentials:
      - {name: primary, type: jwt-auth, config: {key: jack-key, secret: SECRET}}
"""


def standalone(httpbin: Httpbin, uri: str = "/get") -> str:
    return STANDALONE.replace("SECRET", SECRET).replace("NODE", httpbin.place).replace("URI", uri)


@pytest.fixture
def served(httpbin: Httpbin, tmp_path: Path) -> Iterator[ApisixProcess]:
    file = tmp_path / "apisix.yaml"
    file.write_text(standalone(httpbin))
    with ApisixProcess(tmp_path, file, httpbin=httpbin.place) as apisix:
        yield apisix


def test_a_file_is_served(served: ApisixProcess) -> None:
    assert served.get(token=token()).seen["X-Consumer-Username"] == "jack"
    seen = served.get(token=token(key="rose-key")).seen
    assert (seen["X-Consumer-Username"], seen["X-Credential-Identifier"]) == ("rose", "r")
    assert served.get().status == 401


def test_the_objects_of_a_file_are_shown_and_not_changed(served: ApisixProcess) -> None:
    assert served.admin("GET", "/routes/jwt-route").value["value"]["uri"] == "/get"
    assert served.admin("GET", "/consumers").value["total"] == 2
    for method, path in (("DELETE", "/routes/jwt-route"), ("PUT", "/consumers"), ("PUT", "/configs")):
        assert served.admin(method, path, {"username": "tom"}).status == 405
    assert served.get(token=token()).status == 200


def test_a_changed_file_is_served_once_it_is_whole(served: ApisixProcess, httpbin: Httpbin, tmp_path: Path) -> None:
    file = tmp_path / "apisix.yaml"
    file.write_text(standalone(httpbin, "/other").replace("#END", ""))
    served.until(lambda: "reload_refused" in served.journal())
    assert served.get(token=token()).status == 200
    file.write_text(standalone(httpbin, "/other"))
    served.until(lambda: served.get("/other", token=token()).status == 200)
    assert served.get(token=token()).status == 404


def test_a_file_of_adc_is_served(httpbin: Httpbin, tmp_path: Path) -> None:
    host, _, port = httpbin.place.partition(":")
    file = tmp_path / "adc.yaml"
    file.write_text(ADC.replace("SECRET", SECRET).replace("HOST", host).replace("PORT", port))
    with ApisixProcess(tmp_path, file, httpbin=httpbin.place) as apisix:
        assert apisix.get(token=token()).seen["X-Consumer-Username"] == "jack"
        assert apisix.get(token=token(key="rose-key")).status == 401


def test_a_file_is_carried_over(httpbin: Httpbin, tmp_path: Path) -> None:
    file = tmp_path / "apisix.yaml"
    file.write_text(standalone(httpbin))
    command = [str(Path(sys.executable).with_name("jwtgate")), "import", "apisix", str(file), "--report"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    told = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, told
    assert "jwt-route" in told
    assert SECRET not in done.stderr.decode()
