"""Listening sockets are bound once and stay the same for as long as their listener does."""

import socket
import threading
from pathlib import Path

import pytest

from jwtgate.control.listening.sockets import ListeningSockets, certificate_files, listen_alike, shown
from jwtgate.errors import ConfigError
from jwtgate.policy.plan import Listener, Tls

from ..samples import write_certificate

ANY = Listener("127.0.0.1", 0)


def port(sock: socket.socket) -> int:
    number: int = sock.getsockname()[1]
    return number


def test_a_listener_that_stays_keeps_its_socket() -> None:
    sockets = ListeningSockets()
    ((_, first),) = sockets.bind([ANY])
    second = Listener("127.0.0.1", 0, tls=Tls("a", "b"))
    ((kept, again),) = sockets.bind([second])
    assert again is first
    assert kept is second
    sockets.close()


def test_an_ipv6_listener_takes_no_ipv4() -> None:
    sockets = ListeningSockets()
    ((_, six),) = sockets.bind([Listener("::1", 0)])
    with socket.create_connection(("::1", port(six))):
        pass
    assert six.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
    sockets.close()


def test_rel_53_a_port_in_use_is_a_sentence_and_changes_nothing() -> None:
    sockets = ListeningSockets()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        held = Listener("127.0.0.1", port(taken))
        with pytest.raises(ConfigError) as refused:
            sockets.bind([ANY, held, Listener("192.0.2.1", 0)])
    assert len(refused.value.problems) == 2
    assert refused.value.problems[0].startswith(f"listener 127.0.0.1:{held.port}: ")
    ((_, fresh),) = sockets.bind([ANY])
    assert fresh.fileno() >= 0
    sockets.close()


def test_rel_51_a_port_that_is_given_up_in_time_is_waited_for() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    listener = Listener("127.0.0.1", port(taken))
    threading.Timer(0.1, taken.close).start()
    sockets = ListeningSockets()
    ((_, sock),) = sockets.bind([listener], patience_seconds=5.0)
    assert port(sock) == listener.port
    sockets.close()


def test_a_listener_that_goes_gives_its_port_back() -> None:
    sockets = ListeningSockets()
    ((_, gone),) = sockets.bind([ANY])
    number = port(gone)
    sockets.keep_only([])
    with socket.create_server(("127.0.0.1", number)):
        pass


@pytest.mark.parametrize(("host", "text"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
def test_an_address_is_shown_as_people_write_it(host: str, text: str) -> None:
    assert shown(host, 80) == text


def test_listeners_are_alike_whichever_certificates_they_show() -> None:
    one, other = (Listener("127.0.0.1", 1, tls=Tls(name, name)) for name in "ab")
    assert listen_alike([one, ANY], [other, ANY])
    assert not listen_alike([one], [Listener("127.0.0.1", 1)])
    assert not listen_alike([one], [one, one])
    assert not listen_alike([one], [Listener("127.0.0.1", 2, tls=one.tls)])


def test_every_listener_whose_certificate_cannot_be_used_is_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    write_certificate(certificate, key)
    good = Tls(str(certificate), str(key))
    assert certificate_files([ANY, Listener("::1", 2, tls=good)]).keys() == {certificate, key}
    bad = [Listener("::1", port, tls=Tls(str(tmp_path / "none"), str(key))) for port in (3, 4)]
    with pytest.raises(ConfigError) as refused:
        certificate_files([*bad, Listener("::1", 2, tls=good)])
    assert [problem.partition(": its")[0] for problem in refused.value.problems] == [
        "listener [::1]:3",
        "listener [::1]:4",
    ]
