"""The command line as people and programs use it: real processes, their exit statuses, and what they print."""

import json
import os
import pty
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rig import until

from jwtgate.cli.demo_services import AUDIENCE, Issuer

JWTGATE = str(Path(sys.executable).with_name("jwtgate"))
DOCUMENT = """
listen: 127.0.0.1:0
upstreams:
  echo: {targets: ["http://127.0.0.1:9"]}
routes:
  health: {path: /health, auth: none, upstream: echo}
  orders: {path: /orders, auth: AUTH, upstream: echo}
"""
DEADLINE_SECONDS = 30.0


def _run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [JWTGATE, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


def _document(folder: Path, auth: str = "none") -> Path:
    path = folder / "gate.yaml"
    path.write_text(DOCUMENT.replace("AUTH", auth))
    return path


def test_a_token_goes_from_a_new_key_to_its_claims(tmp_path: Path) -> None:
    key, public = tmp_path / "key.json", tmp_path / "public.json"
    assert _run("keys", "new", "--alg", "ES256", "--out", key).returncode == 0
    public.write_text(_run("keys", "show", key, "--as", "jwks").stdout)
    token = _run("sign", "--key", key, "--claim", "sub=alice", "--issuer", "me").stdout
    assert token.count("\n") == 1
    good = _run("verify", "-", "--key", public, "--issuer", "me", "--json", stdin=token)
    assert (good.returncode, json.loads(good.stdout)["claims"]["sub"]) == (0, "alice")
    refused = _run("verify", "-", "--key", public, "--issuer", "you", "--json", stdin=token)
    assert (refused.returncode, json.loads(refused.stdout)["reason"]) == (1, "issuer_wrong")
    assert _run("inspect", token.strip()).returncode == 0


@pytest.mark.parametrize(
    "arguments", [("frobnicate",), ("check",), ("verify", "x"), ("check", "absent.yaml"), ("sign", "--key", "absent")]
)
def test_a_mistake_of_the_caller_is_2_on_stderr_and_no_traceback(arguments: tuple[str, ...]) -> None:
    result = _run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr
    assert "Traceback" not in result.stderr


def test_a_broken_document_is_2_with_every_mistake(tmp_path: Path) -> None:
    document = _document(tmp_path, auth="maybe")
    document.write_text(document.read_text() + "frobnicate: 1\n")
    result = _run("check", document, "--json")
    assert result.returncode == 2
    assert len(json.loads(result.stdout)["problems"]) == 2


def test_output_has_colour_on_a_terminal_only_and_not_with_no_color(tmp_path: Path) -> None:
    document = _document(tmp_path)
    assert "\x1b" not in _run("check", document).stdout
    assert b"\x1b[" in _on_a_terminal(document, {})
    assert b"\x1b[" not in _on_a_terminal(document, {"NO_COLOR": "1"})


def _on_a_terminal(document: Path, environ: dict[str, str]) -> bytes:
    """What `check` prints to a terminal of its own."""
    ours, theirs = pty.openpty()
    without = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    try:
        with subprocess.Popen(
            [JWTGATE, "check", document], stdin=theirs, stdout=theirs, stderr=theirs, env=without | environ
        ) as process:
            assert process.wait(timeout=DEADLINE_SECONDS) == 0
        return os.read(ours, 65536)
    finally:
        os.close(ours)
        os.close(theirs)


def test_explain_fetches_the_key_set_it_needs_and_nothing_offline(tmp_path: Path) -> None:
    with Issuer(0) as issuer:
        document = _document(tmp_path, auth="required, issuers: [demo]")
        keys = f"{{issuer: {issuer.address}, audience: {AUDIENCE}, algorithms: [RS256]}}"
        document.write_text(f"{document.read_text()}issuers:\n  demo: {keys}\n")
        request = f"GET /orders HTTP/1.1\nAuthorization: Bearer {issuer.token({})}\n"
        asked = ("explain", document, "--request", "-", "--json")
        allowed, failed = _run(*asked, stdin=request), _run(*asked, "--offline", stdin=request)
    assert (allowed.returncode, json.loads(allowed.stdout)["outcome"]) == (0, "allowed")
    assert (failed.returncode, json.loads(failed.stdout)["reason"]) == (1, "issuer_unreachable")


@contextmanager
def _served(document: Path, *arguments: str | Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`jwtgate serve` with its stderr in `log` beside the document."""
    with (document.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [JWTGATE, "serve", document, "--workers", "1", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=os.environ | environ,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _address(log: Path) -> str:
    """The address of a gateway that serves by now; fails when it does not in time."""
    until(lambda: "serving" in _events(log), told=log.read_text)
    return str(_events(log)["listening"]["addresses"][0])


def _events(log: Path) -> dict[str, Any]:
    """The latest event of each name."""
    whole = log.read_text().rpartition("\n")[0].splitlines()
    return {event["event"]: event for line in whole if line.startswith("{") for event in [json.loads(line)]}


def test_a_served_document_answers_and_a_signal_stops_it_with_0(tmp_path: Path) -> None:
    document, state = _document(tmp_path), tmp_path / "kept"
    with _served(document, environ={"JWTGATE_STATE": str(state)}) as process:
        with urllib.request.urlopen(f"http://{_address(tmp_path / 'log')}/livez", timeout=30) as answer:
            assert answer.read() == b"alive\n"
        assert state.stat().st_mode & 0o777 == 0o700
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=DEADLINE_SECONDS) == 0
    told = (tmp_path / "log").read_text().splitlines()
    assert told[0].startswith("gate.yaml on http://127.0.0.1:")
    assert str(state) in told[1]


def test_a_broken_document_is_not_served_and_its_mistakes_are_told(tmp_path: Path) -> None:
    document = _document(tmp_path, auth="maybe")
    with _served(document, "--state", tmp_path / "kept", environ={}) as process:
        assert process.wait(timeout=DEADLINE_SECONDS) == 2
    assert "routes.orders.auth" in (tmp_path / "log").read_text().splitlines()[0]


def test_no_last_good_refuses_what_a_usual_start_would_make_up_for(tmp_path: Path) -> None:
    document, state = _document(tmp_path), tmp_path / "kept"
    with _served(document, "--state", state, environ={}):
        _address(tmp_path / "log")
    _document(tmp_path, auth="maybe")
    with _served(document, "--state", state, environ={}):
        assert _address(tmp_path / "log")
    with _served(document, "--state", state, "--no-last-good", environ={}) as process:
        assert process.wait(timeout=DEADLINE_SECONDS) == 2
