import socket
from pathlib import Path

import yaml

from jwtgate.cli.checking import open_document
from jwtgate.cli.demo import HOST, INTERNAL_AUDIENCE, USUAL_PORTS, _document, _free_port, _ports


def test_the_document_of_the_demonstration_stands_on_the_ports_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(_document((1111, 2222, 3333)))
    plan = open_document(path).plan
    assert (plan.listeners[0].port, plan.iss) == (1111, "http://127.0.0.1:1111")
    assert plan.issuers["demo"].iss == "http://127.0.0.1:2222"
    assert plan.routes[0].upstream.targets[0].port == 3333
    assert plan.routes[0].issue[0].audiences == (INTERNAL_AUDIENCE,)


def test_the_usual_ports_are_those_of_the_example() -> None:
    assert yaml.safe_load(_document(USUAL_PORTS))["listen"] == f"{HOST}:{USUAL_PORTS[0]}"


def test_a_port_in_use_is_said_and_another_taken() -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        base = taken.getsockname()[1]
        found = _ports(said.append, base)
        assert base not in found
        assert f"port {base} is in use, so {found[0]} is taken instead" in said[0]


def test_a_free_port_is_taken_as_it_is() -> None:
    port = _free_port(0)
    assert _free_port(port) == port
