"""Scenarios on a real Kamailio, through KEMI and through `python_exec`: the same answers on both ways."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cryptography
import pytest
from tests.dialects.kamailio.kamailio_process import FOLDER, PROGRAM, Answer, Caller, KamailioProcess, message
from tests.dialects.kamailio.material import C, by_rsa
from tests.dialects.kamailio.scripts import WAYS

pytestmark = pytest.mark.skipif(PROGRAM is None or FOLDER is None, reason="no Kamailio with app_python3 here")

CALL_ID = "a84b4c76e66710@pc33.example.com"
Sign = Callable[..., str]


@pytest.fixture(scope="module", params=WAYS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keys: dict[str, Path]
) -> Iterator[KamailioProcess]:
    with KamailioProcess(tmp_path_factory.mktemp(request.param), keys, request.param) as running:
        yield running
        assert running.deaths() == []


@pytest.fixture
def caller(server: KamailioProcess) -> Iterator[Caller]:
    with Caller(server.port) as open_caller:
        yield open_caller


@pytest.fixture(scope="module")
def sign(keys: dict[str, Path]) -> Sign:
    """A token made by hand, with `rsa` or another key."""
    return lambda key="rsa", **claims: by_rsa({"iat": int(time.time()), **claims}, keys[key].read_bytes())


def claims_of(token: str) -> dict[str, Any]:
    text = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer["X-Status"]


def called(by: Caller, function: str, *arguments: object, **parts: str | bytes) -> Answer:
    fields: dict[str, str | bytes] = {"X-Function": function, "X-Args": "|".join(map(str, arguments))}
    return by.send("INVITE", fields, **parts)


def test_k_02_a_token_of_this_call_is_made(caller: Caller) -> None:
    answer = caller.send("INVITE")
    assert answer.status == 200
    header, payload, _ = answer["X-Val"].split(".")
    assert header == "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
    claims = claims_of(answer["X-Val"])
    assert abs(claims["iat"] - time.time()) < 5
    written = f'{{"callee":"bob","caller":"alice","callid":"{CALL_ID}","iat":{claims["iat"]}}}'
    assert payload == base64.urlsafe_b64encode(written.encode()).rstrip(b"=").decode()


def test_k_03_the_token_holds_for_this_call_and_for_no_other(
    caller: Caller, server: KamailioProcess, sign: Sign
) -> None:
    token = caller.send("INVITE")["X-Val"]
    verified = {"X-JWT": token}
    assert outcome(caller.send("INVITE", verified)) == (200, "0")
    before = server.log().count("failed to verify jwt")
    assert outcome(caller.send("INVITE", verified, caller="mallory")) == (403, "256")
    assert outcome(caller.send("INVITE", verified, call_id="other@x")) == (403, "256")
    server.until(lambda: server.log().count("failed to verify jwt") == before + 2)
    assert outcome(caller.send("INVITE", {"X-JWT": token[:-6]})) == (403, "0")
    assert outcome(caller.send("INVITE", {"X-JWT": "abc"})) == (403, "0")
    other = sign("other", caller="alice", callee="bob", callid=CALL_ID)
    assert outcome(caller.send("INVITE", {"X-JWT": other})) == (403, "0")
    assert outcome(caller.send("INVITE", {"X-JWT": sign(caller="alice")})) == (403, "128")
    assert outcome(caller.send("INVITE", {"X-JWT": sign(caller="mallory")})) == (403, "384")


@pytest.mark.parametrize(
    ("alg", "key", "status"),
    [("RS384", "rsa.pub", "2"), ("HS256", "rsa.pub", "2"), ("none", "rsa.pub", "2"), ("rs256", "rsa.pub", "0"),
     ("RS256", "other.pub", "0"), ("RS256", "missing", "0")],
)  # fmt: skip
def test_k_03_another_algorithm_or_key_is_refused(
    caller: Caller, server: KamailioProcess, keys: dict[str, Path], sign: Sign, alg: str, key: str, status: str
) -> None:
    token = sign(caller="alice")
    answer = called(caller, "jwt_verify", keys[key], alg, "caller=$fU", token)
    assert outcome(answer) == (403, status)
    if key == "missing":
        server.until(lambda: f"failed to read key file: {keys[key]}" in server.log())


def test_k_04_what_the_variables_tell(caller: Caller, keys: dict[str, Path], sign: Sign) -> None:
    good = called(caller, "jwt_generate", keys["rsa"], "RS256", C)
    assert (good.status, good["X-Reason"]) == (200, "")
    failed = called(caller, "jwt_generate", keys["rsa"], "XX", C)
    assert (failed.status, failed["X-Reason"], failed.fields.get("x-val")) == (403, "alg-unknown", None)
    verified = called(caller, "jwt_verify", keys["rsa.pub"], "RS256", "caller=mallory", sign(caller="alice"))
    assert (verified["X-Status"], verified["X-Reason"]) == ("256", "claim-mismatch")


@pytest.mark.parametrize("key", ["garbage", "rsa.pub", "p256", "text", "filler", "missing"])
def test_k_09_a_key_that_does_not_fit_ends_nothing(
    caller: Caller, server: KamailioProcess, keys: dict[str, Path], key: str
) -> None:
    before = sorted(server.children())
    answer = called(caller, "jwt_generate", keys[key], "RS256", "a=b")
    assert answer.status == 403
    assert "x-val" not in answer.fields
    server.until(lambda: str(keys[key]) in server.log())
    assert "PRIVATE KEY" not in server.log()
    assert caller.send("INVITE").status == 200
    assert sorted(server.children()) == before


def test_k_10_a_connection_lives_on_after_a_wrong_signature(server: KamailioProcess, sign: Sign) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    good = sign(caller="alice", callee="bob", callid=CALL_ID)
    wrong = sign("other", caller="alice", callee="bob", callid=CALL_ID)
    plain = socket.create_connection(("127.0.0.1", server.tls_port), timeout=10)
    with plain, context.wrap_socket(plain) as connection:
        for number, (token, status) in enumerate(((wrong, 403), (good[:-6], 403), (good, 200), (good, 200))):
            connection.sendall(message("INVITE", {"X-JWT": token}, number=number + 1, transport="TLS"))
            assert Answer(connection.recv(65_535)).status == status


@pytest.mark.parametrize("user", ["alice,x", "alice',x", "alice;callee=x", "alice='"])
def test_k_11_a_name_changes_nothing_but_its_own_claim(caller: Caller, sign: Sign, user: str) -> None:
    assert outcome(caller.send("INVITE", {"X-JWT": sign(caller="alice")}, caller=user)) == (403, "384")


def test_k_11_a_name_with_a_semicolon_is_one_claim(caller: Caller, keys: dict[str, Path]) -> None:
    for claims in ("caller=$fU;callee=$tU", "caller='$fU';callee='$tU'"):
        answer = called(caller, "jwt_generate", keys["rsa"], "RS256", claims, caller="alice;admin=1")
        claims_made = claims_of(answer["X-Val"])
        del claims_made["iat"]
        assert claims_made == {"caller": "alice;admin=1", "callee": "bob"}


def test_a_caller_without_a_name_is_verified_as_nobody(caller: Caller, sign: Sign) -> None:
    for name in ("", "<null>"):
        answer = caller.send("INVITE", {"X-JWT": sign(caller=name, callee="bob", callid=CALL_ID)}, caller="")
        assert answer.status == 403


def test_k_13_a_bearer_token_registers(caller: Caller, sign: Sign) -> None:
    later = int(time.time()) + 600
    cases: list[tuple[str | None, tuple[int, str]]] = [
        (None, (401, "0")),
        (f"Bearer {sign(sub='bob', exp=later)}", (200, "0")),
        (f"bearer  {sign(sub='bob', exp=later)}", (200, "0")),
        (f"Bearer {sign(sub='bob', exp=later - 1200)}", (401, "4")),
        (f"Bearer {sign(sub='alice', exp=later)}", (401, "256")),
        (f"Bearer {sign(sub='bob')}", (401, "128")),
        ('Digest username="bob", realm="x", nonce="y", uri="z", response="0"', (401, "0")),
        ("Bearer", (401, "0")),
    ]
    for value, wanted in cases:
        assert outcome(caller.send("REGISTER", {} if value is None else {"Authorization": value})) == wanted, value


def test_k_13_two_bearer_tokens_are_refused(caller: Caller, sign: Sign) -> None:
    token = sign(sub="bob", exp=int(time.time()) + 600)
    both = f"Bearer {token}\r\nAuthorization: Bearer {token}"
    assert outcome(caller.send("REGISTER", {"Authorization": both})) == (401, "0")
    beside = f'Digest username="bob", realm="x", nonce="y", uri="z", response="0"\r\nAuthorization: Bearer {token}'
    assert outcome(caller.send("REGISTER", {"Authorization": beside})) == (200, "0")


def handshake(server: KamailioProcess, target: str, protocol: str) -> tuple[int, str]:
    """Status and subprotocol of the answer to a WebSocket handshake."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request.encode())
        answer = Answer(connection.recv(65_535))
    return answer.status, answer.fields.get("sec-websocket-protocol", "")


def test_k_14_a_token_opens_a_websocket(server: KamailioProcess, sign: Sign) -> None:
    good = sign(sub="bob", exp=int(time.time()) + 600)
    assert handshake(server, f"/?access_token={good}", "sip") == (101, "sip")
    assert handshake(server, "/", f"sip, {good}") == (101, "sip")
    assert handshake(server, f"/?x=1&access_token={good[:-4]}AAAA", "sip")[0] == 401
    assert handshake(server, f"/?access_token={sign(sub='bob')}", "sip")[0] == 401
    assert handshake(server, "/", "sip")[0] == 401
    assert handshake(server, f"/?access_token={good}", f"sip, {good}")[0] == 401


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\x80.\x80.\x80", b"a" * 8000, b"%s%n%s", b"<null>", b'";=,<>'])
def test_k_15_a_header_of_any_bytes_is_refused_and_the_next_request_served(caller: Caller, value: bytes) -> None:
    assert caller.send("INVITE", {"X-JWT": value, "X-JWT-Wanted": "1"}).status == 403
    assert caller.send("INVITE").status == 200


@pytest.mark.parametrize("user", [b"\xff\xfe", b"ali\xc3", b"%00", b"a%0d%0ab"])
def test_k_15_a_caller_of_any_bytes_is_refused(caller: Caller, sign: Sign, user: bytes) -> None:
    token = sign(caller="alice", callee="bob", callid=CALL_ID)
    assert caller.send("INVITE", {"X-JWT": token}, caller=user).status == 403
    assert caller.send("INVITE", {"X-JWT": token}).status == 200


def test_k_15_four_workers_make_distinct_tokens(caller: Caller, keys: dict[str, Path]) -> None:
    tokens, processes = set(), set()
    for number in range(120):
        key, alg = (("rsa", "RS256"), ("p256", "ES256"))[number % 2]
        answer = called(caller, "jwt_generate", keys[key], alg, "caller=$fU;callid=$ci", call_id=f"{number}@x")
        assert answer.status == 200
        tokens.add(answer["X-Val"])
        processes.add(answer["X-Process"])
    assert len(tokens) == 120
    assert len(processes) > 1


@pytest.mark.parametrize("argument", ["nobody", "", "|", "a|b", "a|b|c|d|e|f", "|RS256|a=b|x"])
@pytest.mark.parametrize(
    "function", ["jwt_generate", "jwt_generate_hdrs", "jwt_verify", "jwt_verify_key", "jwt_bearer"]
)
def test_arguments_that_cannot_be_meant_fail(caller: Caller, function: str, argument: str) -> None:
    assert called(caller, function, argument).status == 403


def test_a_header_list_and_a_key_as_text_go_the_same_way(caller: Caller, keys: dict[str, Path]) -> None:
    made = called(caller, "jwt_generate_hdrs", keys["p256"], "ES256", "caller=$fU", "kid=k1;ppt=shaken")
    assert made["X-Val"].startswith(
        base64.urlsafe_b64encode(b'{"alg":"ES256","kid":"k1","ppt":"shaken","typ":"JWT"}').rstrip(b"=").decode()
    )
    given = {"X-JWT": made["X-Val"], "X-Function": "jwt_verify_key", "X-Args": "by text"}
    for user, status in (("alice", 200), ("bob", 403)):
        assert caller.send("INVITE", given, caller=user).status == status


def test_a_call_is_attested_and_no_other(caller: Caller) -> None:
    numbers = {"caller": "+1(215)555-1212", "callee": "+12155551213"}
    token = called(caller, "jwt_generate", "attest", **numbers)["X-Val"]
    assert json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "==")) == {
        "alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": "https://cert.example/sp.pem",
    }  # fmt: skip
    assert claims_of(token)["orig"] == {"tn": "12155551212"}
    whole = f"{token};info=<https://cert.example/sp.pem>;alg=ES256;ppt=shaken"
    asked = {"X-Function": "jwt_verify", "X-Args": "attested"}
    for field, parts, wanted in (
        (whole, numbers, (200, "0")),
        (whole, {**numbers, "caller": "12155551212"}, (200, "0")),
        (whole, {**numbers, "caller": "+12155551214"}, (403, "256")),
        (whole, {**numbers, "callee": "911"}, (403, "256")),
        (whole.replace("info=<https://cert", "info=<https://other"), numbers, (403, "1")),
        (whole.replace(token, token[:-6]), numbers, (403, "0")),
    ):
        assert outcome(caller.send("INVITE", {**asked, "Identity": field}, **parts)) == wanted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", [0, 1])
def test_k_01_a_key_is_replaced(tmp_path: Path, keys: dict[str, Path], way: str, mode: int) -> None:
    held = tmp_path / "held"
    held.write_bytes(b"A" * 40)
    kamailio = KamailioProcess(tmp_path, keys, way, options=f"key_mode={mode}, ", workers=1)
    with kamailio as server, Caller(server.port) as caller:
        (tmp_path / "a").write_bytes(b"A" * 40)
        (tmp_path / "b").write_bytes(b"B" * 40)

        def by() -> str:
            """The name of the secret the server signs with now."""
            made = called(caller, "jwt_generate", held, "HS256", "caller=$fU")
            if made.status != 200:
                return "none"
            names = [
                name
                for name in "ab"
                if called(caller, "jwt_verify", tmp_path / name, "HS256", "caller=$fU", made["X-Val"]).status == 200
            ]
            return "".join(names)

        assert by() == "a"
        held.write_bytes(b"B" * 40)
        assert by() == ("b" if mode == 0 else "a")
        held.unlink()
        assert by() == ("none" if mode == 0 else "a")
        held.write_bytes(b"B" * 40)
        assert by() == ("b" if mode == 0 else "a")
        server.rpc("app_python.reload")
        assert by() == "b"
        assert server.deaths() == []


@pytest.mark.skipif(shutil.which("sipsak") is None, reason="no sipsak here")
def test_k_13_a_client_nobody_here_wrote_registers(server: KamailioProcess, tmp_path: Path, sign: Sign) -> None:
    later = int(time.time()) + 600
    for token, code in ((sign(sub="bob", exp=later), 0), (sign(sub="alice", exp=later), 1), (None, 1)):
        fields = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = tmp_path / "register"
        request.write_bytes(message("REGISTER", fields))
        command = ["sipsak", "-s", f"sip:bob@127.0.0.1:{server.port}", "-f", str(request), "-v", "-v", "-v"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        told = ran.stdout + ran.stderr
        assert ("SIP/2.0 200" in told, "SIP/2.0 401" in told) == (code == 0, code == 1), told


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="a wheel for the server's Python is needed")
@pytest.mark.parametrize("way", WAYS)
def test_a_wheel_of_cryptography_serves_as_well(tmp_path: Path, keys: dict[str, Path], way: str) -> None:
    wheel = str(Path(cryptography.__file__).parents[1])
    with KamailioProcess(tmp_path, keys, way, packages=wheel) as server, Caller(server.port) as caller:
        token = caller.send("INVITE")["X-Val"]
        assert caller.send("INVITE", {"X-JWT": token}).status == 200
        assert caller.send("INVITE", {"X-JWT": token[:-6]}).status == 403
        assert server.deaths() == []
