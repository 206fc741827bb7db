"""The demonstration from end to end: what it tells, that it tells the truth, and that nothing of it is left."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.integration.rig import until
from tests.ports import free_port

JWTGATE = str(Path(sys.executable).with_name("jwtgate"))
DEADLINE_SECONDS = 60.0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def base() -> int:
    return free_port(together=3)


@pytest.fixture(scope="module")
def story(base: int) -> str:
    """All the demonstration prints, once it ended well."""
    command = [JWTGATE, "demo", "--port-base", str(base)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def _scene(story: str, number: int) -> str:
    return story.split(f"\n{number}. ")[1].split("\n\n")[0]


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (1, ("401", 'Bearer realm="jwtgate"\n', "credential_missing")),
        (2, ("401", 'error="invalid_token"', "expired")),
        (3, ("401", 'error="invalid_token"', "somebody else")),
        (4, ("403", 'error="insufficient_scope"', 'scope="orders:read"')),
        (5, ("200", "x-caller: alice", "authorization: - ", "aud: https://orders.internal", "sub: alice")),
    ],
)
def test_each_request_is_answered_as_the_story_says(story: str, number: int, parts: tuple[str, ...]) -> None:
    scene = _scene(story, number)
    assert all(part in scene for part in parts), scene


def test_the_token_of_the_gateway_is_checked_against_its_published_keys(story: str, base: int) -> None:
    assert f"That token holds by the keys at http://127.0.0.1:{base}/.well-known/jwks.json" in story


def test_the_story_fits_a_terminal_of_100_columns_and_has_no_colour_in_a_pipe(story: str) -> None:
    prose = [line for line in story.splitlines() if "$TOKEN" not in line and "TOKEN=" not in line]
    assert max(map(len, prose)) <= 100
    assert "\x1b" not in story


def test_nothing_runs_after_the_story(story: str, base: int) -> None:
    assert [port for port in range(base, base + 3) if not _is_free(port)] == []


def test_what_is_kept_runs_until_it_is_stopped_and_its_commands_work(tmp_path: Path) -> None:
    base = free_port(together=3)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [JWTGATE, "demo", "--keep", "--port-base", str(base)],
            stdout=output,
            stderr=output,
            preexec_fn=_hear_interrupts,
        )
    try:
        _until_told(log, "Running until Ctrl-C.")
        asked = b"grant_type=client_credentials&scope=orders:read&plain=1"
        with urllib.request.urlopen(f"http://127.0.0.1:{base + 1}/token", asked, timeout=30) as answer:
            token = answer.read().decode().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{base}/orders/7", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert b'"path": "/orders/7"' in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=DEADLINE_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    assert all(_is_free(port) for port in range(base, base + 3))
    assert log.read_text().splitlines()[-1] == "stopped"


def _hear_interrupts() -> None:
    # Whoever runs the tests in the background has them ignore Ctrl-C, and so would all that they start.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _until_told(log: Path, words: str) -> None:
    until(lambda: words in log.read_text(), seconds=DEADLINE_SECONDS, told=log.read_text)


def test_a_port_in_use_is_said_and_another_one_taken() -> None:
    base = free_port(together=3)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", base))
        taken.listen()
        command = [JWTGATE, "demo", "--port-base", str(base)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert told.returncode == 0
    assert f"note: port {base} is in use" in told.stdout
