"""The client of the Admin API."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ports import free_port
from tests.unit.cli.ctl.conftest import Served

from jwtgate.cli.ctl.client import Access, AdminClient, Refused, Unreachable, named
from jwtgate.errors import ConfigError

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def client(served: Served) -> Iterator[AdminClient]:
    with AdminClient(served.access) as made:
        yield made


def test_a_value_and_its_version_are_answered(client: AdminClient) -> None:
    reply = client.ask("PUT", "routes/a", {"x": 1})
    assert (reply.status, reply.value["value"], reply.version) == (200, {"x": 1}, "1")
    assert client.ask("DELETE", "routes/a").value is None


def test_a_problem_is_raised_with_all_its_mistakes(client: AdminClient) -> None:
    with pytest.raises(Refused) as refused:
        client.ask("PUT", "routes/a", {"wrong": 1})
    assert refused.value.status == 422
    assert refused.value.sentences == ("request: wrong: is no key of this section", "request: other: is missing")


def test_a_problem_without_mistakes_says_what_happened(client: AdminClient) -> None:
    with pytest.raises(Refused, match="There is nothing of that name") as refused:
        client.ask("GET", "routes/a")
    assert refused.value.sentences == ("There is nothing of that name.",)


def test_a_list_is_asked_for_part_by_part(client: AdminClient) -> None:
    for number in range(5):
        client.ask("PUT", f"routes/r{number}", {})
    assert [each["name"] for each in client.every("routes")] == ["r0", "r1", "r2", "r3", "r4"]
    assert [each["name"] for each in client.every("routes", query={"contains": "3"})] == ["r3"]
    assert len(list(client.every("routes", most=2))) == 2


def test_one_connection_is_kept_and_opened_again_when_it_was_closed(client: AdminClient) -> None:
    client.ask("GET", "status")
    kept = client._connection.sock
    client.ask("GET", "status")
    assert client._connection.sock is kept
    kept.shutdown(socket.SHUT_RDWR)
    assert client.ask("GET", "status").status == 200


@pytest.mark.parametrize(
    ("steps", "path"),
    [(("routes", "a/b"), "routes/a%2Fb"), (("routes", "a?b#c%"), "routes/a%3Fb%23c%25"), (("a", "b"), "a/b")],
)
def test_a_name_is_encoded_whole(steps: tuple[str, ...], path: str) -> None:
    assert named(*steps) == path


@pytest.mark.parametrize("url", ["127.0.0.1:9901", "ftp://127.0.0.1", "http://", "http://127.0.0.1/admin"])
def test_what_is_no_address_is_a_mistake(url: str) -> None:
    with pytest.raises(ConfigError, match="--url"):
        AdminClient(Access(url))


@pytest.mark.parametrize("url", ["http://gateway.example", "http://192.0.2.1:9901", "http://localhost.example"])
def test_a_token_never_travels_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigError, match="https only"):
        AdminClient(Access(url, "token"))
    AdminClient(Access(url.replace("http:", "https:"), "token"))


def test_an_admin_api_that_cannot_be_reached_is_told(served: Served) -> None:
    port = free_port()
    with (
        AdminClient(Access(f"http://127.0.0.1:{port}")) as client,
        pytest.raises(ConfigError, match="cannot be reached"),
    ):
        client.ask("GET", "status")


def answering(data: bytes) -> tuple[socket.socket, threading.Thread]:
    """A server that answers one connection with this."""
    server = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(data)

    thread = threading.Thread(target=run)
    thread.start()
    return server, thread


@pytest.mark.parametrize("data", [b"", b"nothing that is HTTP\r\n\r\n"])
def test_a_server_that_is_no_admin_api_is_told(data: bytes) -> None:
    server, thread = answering(data)
    with server, AdminClient(Access(f"http://127.0.0.1:{server.getsockname()[1]}")) as client:
        with pytest.raises(ConfigError, match="cannot be reached"):
            client.ask("GET", "status")
        thread.join()


def test_an_answer_that_is_no_problem_is_not_from_an_admin_api() -> None:
    server, thread = answering(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops")
    with server, AdminClient(Access(f"http://127.0.0.1:{server.getsockname()[1]}")) as client:
        with pytest.raises(Unreachable, match="with 502, but is no Admin API"):
            client.ask("GET", "status")
        thread.join()


def test_a_redirect_is_not_followed() -> None:
    server, thread = answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    with server, AdminClient(Access(f"http://127.0.0.1:{server.getsockname()[1]}", "token")) as client:
        with pytest.raises(Unreachable, match="with 302, but"):
            client.ask("GET", "status")
        thread.join()


def test_files_of_tls_that_cannot_be_read_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--ca-file"):
        AdminClient(Access("https://127.0.0.1", ca_file=tmp_path / "nothing.pem"))


def test_sec_144_the_token_is_not_shown(served: Served) -> None:
    assert "operator-token" not in repr(served.access)
