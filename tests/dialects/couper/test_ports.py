"""Servers on ports of their own: what is meant for one port is not reached through another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import jwt
from tests.dialects.dialect_process import Answer, curl
from tests.ports import free_port

TEXT = """
server "public" {{
  hosts = ["*:{public}"]
  endpoint "/p" {{
    access_control = ["J"]
    response {{ body = "public" }}
  }}
}}
server "inner" {{
  hosts = ["*:{inner}"]
  endpoint "/p" {{ response {{ body = "inner" }} }}
}}
definitions {{
  {jwt}
}}
settings {{ bind_address = "127.0.0.1" }}
"""


class OwnPorts(CouperProcess):
    """Listens where its file says."""

    listening = ()
    ports: tuple[int, int]

    def ask_at(self, port: int, host: str) -> Answer:
        """The answer on this port to a request that names this host."""
        return curl("--url", f"http://127.0.0.1:{port}/p", "--header", f"Host: {host}")


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPorts]:
    public, inner = free_port(), free_port()
    text = TEXT.format(public=public, inner=inner, jwt=jwt())
    with OwnPorts(tmp_path_factory.mktemp("couper"), text) as running:
        running.ports = public, inner
        yield running


def test_nobody_reaches_a_server_of_another_port_by_naming_it(couper: OwnPorts) -> None:
    public, inner = couper.ports
    for host in (f"a.example:{public}", f"a.example:{inner}", "a.example"):
        assert couper.ask_at(public, host).status == 401
        answer = couper.ask_at(inner, host)
        assert (answer.status, answer.body) == (200, "inner")
